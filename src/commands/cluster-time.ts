import { type Clock, CodedError } from '../base/index.ts';
import { Binary, type Doc, Timestamp, type Value } from '../bson/index.ts';

/** MongoDB's `maxAcceptableLogicalClockDriftSecs`: how far ahead of the wall clock a client's time may be. */
const MAX_DRIFT_SECONDS = 365 * 24 * 60 * 60;

/** The signature of a deployment without authentication: 20 zero bytes under key 0. */
const SIGNATURE: Doc = new Map<string, Value>([
  ['hash', new Binary(new Uint8Array(20), 0)],
  ['keyId', 0n],
]);

/** The logical clock that clients gossip. It never steps back, whatever the wall clock does. */
export class ClusterTime {
  readonly #clock: Clock;
  #seconds: number;
  #increment = 1;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#seconds = Math.floor(clock.now() / 1000);
  }

  get now(): Timestamp {
    return new Timestamp({ t: this.#seconds, i: this.#increment });
  }

  /** A new moment, later than all before: for a reply to a write, or when a second has passed. */
  advance(): Timestamp {
    const wall = Math.floor(this.#clock.now() / 1000);
    if (wall > this.#seconds) {
      this.#seconds = wall;
      this.#increment = 1;
    } else {
      this.#increment++;
    }
    return this.now;
  }

  /** Takes over a later time that a client saw, say from this server before it was restarted. */
  observe(gossip: Doc): void {
    const time = gossip.get('clusterTime');
    if (!(time instanceof Timestamp)) return;
    const seconds = time.getHighBitsUnsigned();
    const increment = time.getLowBitsUnsigned();
    if (seconds > Math.floor(this.#clock.now() / 1000) + MAX_DRIFT_SECONDS) {
      throw new CodedError(
        'ClusterTimeFailsRateLimiter',
        `New cluster time, ${seconds}, is too far from this node's wall clock time, ${Math.floor(this.#clock.now() / 1000)}.`,
      );
    }
    if (seconds < this.#seconds || (seconds === this.#seconds && increment <= this.#increment)) return;
    this.#seconds = seconds;
    this.#increment = increment;
  }

  /** `$clusterTime` of a reply. */
  gossip(): Doc {
    return new Map<string, Value>([
      ['clusterTime', this.now],
      ['signature', SIGNATURE],
    ]);
  }
}
