/** A pending timer. Cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

/** The only source of time. Everything outside `base/` is given one, so that a test may run hours in a second. */
export interface Clock {
  /** Milliseconds since the Unix epoch; steps back when an administrator sets the clock. */
  now(): number;
  /** Milliseconds since some fixed moment; never steps back. */
  monotonic(): number;
  /** Calls `run` once, `ms` from now. A pending timer does not keep the process alive when `unref` is set. */
  timer(ms: number, run: () => void, options?: { unref?: boolean }): Timer;
  /** Calls `run` once the work already queued (promises, I/O callbacks) has had its turn. */
  soon(run: () => void): Timer;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timer(ms, run, options) {
    const handle = setTimeout(run, ms);
    if (options?.unref) handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
  soon(run) {
    const handle = setImmediate(run);
    return { cancel: () => clearImmediate(handle) };
  },
};

/** Resolves after `ms`; rejects at once with the signal's reason when it aborts. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.timer(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Resolves when what waits has had its turn: for work that would keep everybody else from theirs. */
export function giveWay(clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    clock.soon(resolve);
  });
}
