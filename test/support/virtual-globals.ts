import type { Timer, VirtualClock } from '../../src/base/index.ts';

/** What a library that knows no clock of ours (bottleneck) takes from the platform. */
const NAMES = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] as const;

class Handle {
  timer: Timer | undefined;
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}

type Callback = (...args: unknown[]) => void;

/**
 * Runs `run` while the platform's timers and `Date.now` are the clock's, and puts the platform's back. Not for two runs at
 * the same time in one thread.
 */
export async function withVirtualGlobals<T>(clock: VirtualClock, run: () => Promise<T>): Promise<T> {
  const restore = installVirtualGlobals(clock);
  try {
    return await run();
  } finally {
    restore();
  }
}

/** Puts the clock in the place of the platform's timers and `Date.now`; returns what puts the platform's back. */
export function installVirtualGlobals(clock: VirtualClock): () => void {
  const saved = NAMES.map((name) => [name, globalThis[name]] as const);
  const dateNow = Date.now;
  const clear = (handle: unknown) => {
    if (handle instanceof Handle) handle.timer?.cancel();
  };
  const replacements = {
    setTimeout(callback: Callback, ms = 0, ...args: unknown[]) {
      const handle = new Handle();
      handle.timer = clock.timer(ms, () => callback(...args));
      return handle;
    },
    setInterval(callback: Callback, ms = 0, ...args: unknown[]) {
      const handle = new Handle();
      const arm = () => {
        handle.timer = clock.timer(Math.max(1, ms), () => {
          arm();
          callback(...args);
        });
      };
      arm();
      return handle;
    },
    clearTimeout: clear,
    clearInterval: clear,
  };
  Object.assign(globalThis, replacements);
  Date.now = () => clock.now();
  return () => {
    for (const [name, original] of saved) Object.assign(globalThis, { [name]: original });
    Date.now = dateNow;
  };
}
