import type { Random } from '../base/index.ts';
import { Form } from './form.ts';
import type { GatewayFault, JsonObject } from './types.ts';

const REST_KINDS = ['lose-reply', 'error-before', 'error-after', 'rate-limit', 'cloudflare', 'latency'] as const;
const GATEWAY_KINDS = [
  'gateway-drop',
  'gateway-repeat',
  'gateway-reorder',
  'gateway-disconnect',
  'gateway-reconnect',
  'gateway-invalid',
] as const satisfies readonly GatewayFault[];
const SCOPES = ['user', 'global', 'shared'] as const;

const MAX_FAULTS = 100;
const MAX_FAULT_MS = 24 * 60 * 60 * 1000;

export type RestFault = (typeof REST_KINDS)[number];

/** Something that goes wrong on purpose. How often: `every` n-th request, with `probability`, else always; at most `times`. */
export interface Fault {
  readonly kind: RestFault | GatewayFault;
  /** As `/_emulator/stats` writes it, or `cdn`; absent means any. */
  readonly route?: string;
  /** error-before, error-after: 500 unless given. */
  readonly status?: number;
  /** rate-limit: `user` unless given. */
  readonly scope?: (typeof SCOPES)[number];
  /** latency: how long; rate-limit: the wait it asks for. 1000 unless given. */
  readonly ms?: number;
  readonly every?: number;
  readonly probability?: number;
  readonly times?: number;
}

export interface DueFault extends Fault {
  readonly status: number;
  readonly scope: (typeof SCOPES)[number];
  readonly ms: number;
}

interface Armed {
  readonly fault: Fault;
  seen: number;
  used: number;
}

/** The faults that are set, and which of them are due. */
export class Faults {
  readonly #random: Random;
  #armed: Armed[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  set(faults: readonly Fault[]): void {
    this.#armed = faults.map((fault) => ({ fault, seen: 0, used: 0 }));
  }

  /** The first fault of a kind that is due for a request on `route`; it counts as used. */
  take(kind: Fault['kind'], route?: string): DueFault | undefined {
    for (const armed of this.#armed) {
      const { fault } = armed;
      if (fault.kind !== kind || (fault.route !== undefined && fault.route !== route)) continue;
      armed.seen++;
      if (fault.times !== undefined && armed.used >= fault.times) continue;
      if (fault.every !== undefined && armed.seen % fault.every !== 0) continue;
      if (fault.probability !== undefined && this.#random.next() >= fault.probability) continue;
      armed.used++;
      return { status: 500, scope: 'user', ms: 1000, ...fault };
    }
    return undefined;
  }

  toJSON(): JsonObject[] {
    return this.#armed.map(({ fault, used }) => ({ ...fault, used }));
  }
}

/** Reads the list that `PUT /_emulator/faults` takes; throws a form error. */
export function readFaults(body: unknown): Fault[] {
  const form = new Form({ faults: body });
  const faults = form.forms('faults', { max: MAX_FAULTS })?.map(readFault) ?? [];
  form.check();
  return faults;
}

function readFault(form: Form): Fault {
  const oneOf = <T extends string>(name: string, choices: readonly T[]): T | undefined => {
    const value = form.string(name);
    const choice = choices.find((one) => one === value);
    if (value !== undefined && choice === undefined) {
      form.fail(name, 'BASE_TYPE_CHOICES', `Value must be one of (${choices.join(', ')}).`);
    }
    return choice;
  };
  form.required('kind');
  const given = {
    route: form.string('route'),
    status: form.integer('status', { min: 400, max: 599 }),
    scope: oneOf('scope', SCOPES),
    ms: form.integer('ms', { min: 0, max: MAX_FAULT_MS }),
    every: form.integer('every', { min: 1 }),
    probability: readProbability(form),
    times: form.integer('times', { min: 1 }),
  };
  const kind = oneOf('kind', [...REST_KINDS, ...GATEWAY_KINDS]) ?? 'latency';
  return { kind, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}

function readProbability(form: Form): number | undefined {
  const value = form.raw('probability');
  if (value === undefined) return undefined;
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  return form.fail('probability', 'NUMBER_TYPE_COERCE', 'Must be a number between 0 and 1.');
}
