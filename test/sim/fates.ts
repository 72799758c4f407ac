import type { Stage } from '../support/stage.ts';
import type { Checker } from './checker.ts';
import { drizzle, storm } from './faults.ts';
import type { Machines } from './machines.ts';
import { THINGS } from './steps.ts';

const BOTS_MAX = 3;
export const ADMINISTRATOR = 1n << 3n;

export interface FatesContext {
  readonly stage: Stage;
  readonly checker: Checker;
  readonly machines: Machines;
  /** Messages can be read: there is no key. */
  readonly readable: boolean;
  /** People delete messages. */
  readonly people: boolean;
  /** Of the person who does. */
  readonly person: string;
  /** Something happens so often, and storms last twice as long, at most. */
  readonly paceMs: number;
  note(what: string): void;
}

/** What happens to processes, bots and messages while clients work. */
export class Fates {
  readonly #context: FatesContext;

  constructor(context: FatesContext) {
    this.#context = context;
  }

  /** Waits a while, and lets something happen. */
  async next(most: number): Promise<void> {
    const { stage, machines, people, paceMs } = this.#context;
    await stage.sleep(1000 + stage.integer(Math.max(1, Math.min(most, paceMs))));
    const dice = stage.integer(100);
    if (machines.serving.length === 0) return this.#be('revived', () => machines.startAgain(machines.any()));
    if (dice < 28) return this.#be('killed', () => this.#kill());
    if (dice < 38) return this.#be('closed', () => this.#close());
    if (dice < 48) return this.#be('moved', () => this.#move());
    if (dice < 58) return this.#be('takenOver', () => this.#takeOver());
    if (dice < 62) return this.#be('refused', () => this.#refuse());
    if (dice < 65 && machines.tokens.length > 1) return this.#loseBot();
    if (dice < 68 && machines.tokens.length < BOTS_MAX) return this.#be('botsAdded', () => this.#addBot());
    if (dice < 80 && people) return this.#deleteByHand();
    return this.#be('storms', () => this.#rage());
  }

  #be(fate: string, run: () => Promise<void>): Promise<void> {
    this.#context.note(fate);
    return run();
  }

  async #kill(): Promise<void> {
    const { stage, machines } = this.#context;
    const machine = machines.newest;
    machines.die(machine);
    await stage.sleep(stage.integer(4000));
    await machines.startAgain(machine);
  }

  async #close(): Promise<void> {
    const { machines } = this.#context;
    const machine = machines.newest;
    await machines.close(machine);
    await machines.startAgain(machine);
  }

  /** One machine is lost; another one follows, which cannot know that. */
  async #move(): Promise<void> {
    const { machines } = this.#context;
    const machine = machines.newest;
    machines.die(machine);
    await machines.startAgain(machines.other(machine));
  }

  /** Another process takes the guild from one that works. */
  async #takeOver(): Promise<void> {
    const { stage, machines } = this.#context;
    const old = machines.newest;
    const next = machines.other(old);
    if (next.process) machines.die(next);
    await machines.start(next, true);
    await stage.sleep(stage.integer(20_000));
    if (old.process) machines.die(old);
  }

  /** Who may not have the guild is told so, and does no harm. */
  async #refuse(): Promise<void> {
    const { machines } = this.#context;
    const old = machines.newest;
    const next = machines.other(old);
    if (next.process) machines.die(next);
    const process = await machines.start(next, false);
    if (process) machines.die(old);
  }

  /** Never the last that sees every channel: what nobody can read is lost until a person lets somebody in. */
  async #loseBot(): Promise<void> {
    const { stage, machines, note } = this.#context;
    const { emulator } = stage;
    const token = machines.tokens[stage.integer(machines.tokens.length)]!;
    if (!machines.canSpare(token)) return;
    note('botsLost');
    machines.tokens.splice(machines.tokens.indexOf(token), 1);
    const { guildId } = emulator.credentials();
    await emulator.landlord.kick(emulator.botByToken(token)!.userId, guildId);
  }

  /** The processes that start from now on use it. The channels made before it came are closed to it, unless it may all. */
  async #addBot(): Promise<void> {
    const { stage, machines } = this.#context;
    const mayAll = stage.chance(0.5);
    const { token } = await stage.emulator.landlord.addBot(mayAll ? { permissions: ADMINISTRATOR } : {});
    machines.tokens.push(token);
    if (mayAll) machines.insiders.add(token);
  }

  /** A person deletes a message of a collection: whatever it held is nobody's business from now on. */
  async #deleteByHand(): Promise<void> {
    const { stage, checker, readable, person, note } = this.#context;
    const { emulator } = stage;
    const { guildId } = emulator.credentials();
    const channel = emulator.channels(guildId).find(({ name }) => name === THINGS);
    if (!channel || !readable) return;
    const messages = emulator
      .messages(channel.id, { limit: 50 })
      .filter(({ content, attachments }) => attachments.length === 0 && content.includes('"_id"'));
    const message = messages[stage.integer(messages.length)];
    if (!message) return;
    note('deletedByPeople');
    for (const [, id] of message.content.matchAll(/"_id": ?"([^"]+)"/g)) checker.disturb(THINGS, id!);
    const request = {
      method: 'DELETE',
      path: `/api/v10/channels/${channel.id}/messages/${message.id}`,
      headers: { authorization: `Bot ${person}` },
      body: Buffer.alloc(0),
    };
    await emulator.handle(request).catch(() => {});
  }

  async #rage(): Promise<void> {
    const { stage, paceMs } = this.#context;
    stage.emulator.setFaults(storm(stage));
    await stage.sleep(2000 + stage.integer(2 * paceMs));
    stage.emulator.setFaults(drizzle());
  }
}
