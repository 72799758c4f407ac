import { inspect } from 'node:util';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { type DiscordStoreOptions, openDiscordStore, StartError } from '../../../src/discord/index.ts';
import {
  type Answer,
  API,
  fakeTransport,
  html,
  inVirtualTime,
  json,
  type Seen,
  TOKEN,
  type World,
} from './fake-discord.ts';

const GUILD = '900';
const APPLICATION = '43';
const ALL = (1n << 4n) | (1n << 10n) | (1n << 11n) | (1n << 13n) | (1n << 15n) | (1n << 16n);

interface Guild {
  flags?: number;
  everyone?: bigint;
  role?: bigint;
  owner?: string;
  /** Answers instead of the guild, by path. */
  instead?: Record<string, Answer>;
}

/** A Discord with one guild, in which all is well but for what `guild` says. */
function discord(guild: Guild): (seen: Seen) => Answer {
  return ({ path }) => {
    const instead = guild.instead?.[path];
    if (instead) return instead;
    if (path === '/users/@me') return json(200, { id: '42' });
    if (path === '/applications/@me') return json(200, { id: APPLICATION, flags: guild.flags ?? 1 << 19 });
    if (path === `/guilds/${GUILD}/members/42`) return json(200, { roles: ['7'] });
    const roles = [
      { id: GUILD, permissions: String(guild.everyone ?? 0n) },
      { id: '7', permissions: String(guild.role ?? ALL) },
      { id: '8', permissions: String(1n << 3n) },
    ];
    return json(200, { id: GUILD, name: 'Test', owner_id: guild.owner ?? '1', roles });
  };
}

function open(world: World, answer: (seen: Seen) => Answer, more: Partial<DiscordStoreOptions> = {}) {
  const { transport, seen } = fakeTransport(world, 25, answer);
  const store = openDiscordStore({
    transport,
    apiUrl: API,
    tokens: [TOKEN],
    guildIds: [GUILD],
    env: world.env,
    ...more,
  });
  return { store, seen };
}

const invite = `https://discord.com/oauth2/authorize?client_id=${APPLICATION}&scope=bot&permissions=${ALL}`;

describe('openDiscordStore', () => {
  test(
    'opens when all is well, in four requests',
    inVirtualTime(async (world) => {
      const { store, seen } = open(world, discord({}));
      const opened = await store;
      expect(opened.botUserId).toBe('42');
      expect(opened.applicationId).toBe(APPLICATION);
      expect(seen).toHaveLength(4);
      await opened.close();
    }),
  );

  const unauthorized = json(401, { message: '401: Unauthorized', code: 0 });
  const failures: [string, Guild, (string | RegExp)[]][] = [
    ['a wrong token', { instead: { '/users/@me': unauthorized } }, [/Reset Token/]],
    [
      'a missing intent',
      { flags: 0 },
      [/Message Content Intent/, /Privileged Gateway Intents/, `applications/${APPLICATION}/bot`],
    ],
    [
      'an unknown guild',
      { instead: { [`/guilds/${GUILD}`]: json(404, { message: 'Unknown Guild', code: 10004 }) } },
      [/not in a server/, invite],
    ],
    [
      'a guild that it is not in',
      { instead: { [`/guilds/${GUILD}`]: json(403, { message: 'Missing Access', code: 50001 }) } },
      [invite],
    ],
    [
      'no membership',
      { instead: { [`/guilds/${GUILD}/members/42`]: json(404, { message: 'Unknown Member', code: 10007 }) } },
      [invite],
    ],
    [
      'missing permissions',
      { role: ALL & ~(1n << 13n) & ~(1n << 4n) },
      [/: Manage Channels, Manage Messages\./, invite],
    ],
    [
      'an address of something else',
      { instead: { '/users/@me': json(404, { message: '404: Not Found', code: 0 }) } },
      [/does not let the bot start/],
    ],
    ['an answer that is no user', { instead: { '/users/@me': json(200, ['web page']) } }, [/documentation/]],
    [
      'a broken network',
      { instead: { '/users/@me': new Error('connect ECONNREFUSED 127.0.0.1:1') } },
      [/does not answer/, API, /ECONNREFUSED/],
    ],
    ['a server that is down', { instead: { '/users/@me': html(502) } }, [/does not answer/, /502/]],
  ];
  for (const [name, guild, words] of failures) {
    test(
      `says within a second how to mend ${name}`,
      inVirtualTime(async (world) => {
        const start = world.clock.now();
        const error = await open(world, discord(guild)).store.then(
          () => undefined,
          (reason: unknown) => reason,
        );
        expect(error).toBeInstanceOf(StartError);
        if (!(error instanceof StartError)) return;
        for (const word of words) expect(error.message).toMatch(word);
        expect(world.clock.now() - start).toBeLessThan(1000);
        expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(TOKEN);
      }),
    );
  }

  test(
    'counts what everyone may, lets an administrator and the owner pass, and not a stranger’s role',
    inVirtualTime(async (world) => {
      for (const guild of [{ everyone: ALL, role: 0n }, { role: 1n << 3n }, { role: 0n, owner: '42' }]) {
        await (await open(world, discord(guild)).store).close();
      }
      await expect(open(world, discord({ role: 0n })).store).rejects.toThrow('View Channels, Manage Channels');
    }),
  );

  for (const [name, more] of [
    ['an empty token', { tokens: [' '] }],
    ['a token with a line break', { tokens: ['a\nb'] }],
    ['no token at all', { tokens: [] }],
    ['no guild', { guildIds: [] }],
    ['a guild id that is none', { guildIds: ['my server'] }],
    ['an address that is none', { apiUrl: 'discord' }],
  ] as const) {
    test(
      `asks nobody about ${name}`,
      inVirtualTime(async (world) => {
        const { store, seen } = open(world, discord({}), more);
        await expect(store).rejects.toBeInstanceOf(StartError);
        expect(seen).toHaveLength(0);
      }),
    );
  }
});

test(
  'the token reaches no error, no log line, no inspected object and no page of metrics',
  inVirtualTime(async (world) => {
    const lines: string[] = [];
    const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
    const all = discord({});
    let reads = 0;
    const answer = (seen: Seen): Answer => {
      if (!seen.path.startsWith('/channels')) return all(seen);
      reads += 1;
      if (reads > 1) return json(403, { message: `no access for ${seen.path}`, code: 50001 });
      return Object.assign(new Error(`header Authorization: Bot ${TOKEN} is bad`), { code: 'UND_ERR_INVALID_ARG' });
    };
    const store = await open(world, answer, { env: { ...world.env, log } }).store;
    const failed = await store.read('1', 5n, 'read').then(String, (error: unknown) => inspect(error, { depth: 20 }));
    expect(lines.length).toBeGreaterThan(0);
    const shown = [
      failed,
      ...lines,
      inspect(store, { depth: 20, showHidden: true }),
      JSON.stringify(store.metrics()),
    ].join('\n');
    expect(shown).not.toContain(TOKEN);
    expect(shown).toContain('[secret]');
    const start = await open(world, () => new Error(`bad header ${TOKEN}`)).store.catch((error: unknown) =>
      inspect(error),
    );
    expect(start).toContain('[secret]');
    expect(start).not.toContain(TOKEN);
  }),
);
