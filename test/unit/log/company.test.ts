import { describe, expect, it } from 'vitest';
import { sleep, VirtualClock } from '../../../src/base/index.ts';
import { Company } from '../../../src/log/company.ts';

function mark(session: number) {
  return { lsid: new Uint8Array(16).fill(session), txnNumber: 1n, stmtId: 0, result: new Uint8Array() };
}

describe('Company', () => {
  it('is not expected by one session, however fast it writes', async () => {
    const clock = new VirtualClock();
    const company = new Company(clock);
    for (let n = 0; n < 1000; n++) {
      company.note([mark(1)]);
      expect(company.expected).toBe(false);
      await clock.advance(1);
    }
  });

  it('is expected while several sessions write, and no longer a second after', async () => {
    const clock = new VirtualClock();
    const company = new Company(clock);
    for (let session = 0; session < 2; session++) company.note([mark(session)]);
    expect(company.expected).toBe(true);
    await clock.advance(1001);
    company.note([mark(0)]);
    expect(company.expected).toBe(false);
  });

  it('gathers until the first pause', async () => {
    const clock = new VirtualClock();
    const company = new Company(clock);
    const writers = async () => {
      for (let n = 0; n < 100; n++) {
        company.note([mark(n)]);
        await sleep(clock, 2);
      }
    };
    const all = writers();
    await clock.advance(10);
    const started = clock.monotonic();
    await clock.run(company.gather());
    const waited = clock.monotonic() - started;
    expect(waited).toBeGreaterThan(190);
    expect(waited).toBeLessThan(250);
    await clock.run(all);
  });

  it('holds nobody up for more than a second', async () => {
    const clock = new VirtualClock();
    const company = new Company(clock);
    let ended = false;
    const writers = async () => {
      while (!ended) {
        company.note([mark(1)]);
        await sleep(clock, 1);
      }
    };
    const all = writers();
    await clock.run(company.gather());
    ended = true;
    await clock.run(all);
    expect(clock.monotonic()).toBeLessThanOrEqual(1001);
  });

  it('waits little for clients that wait for it', async () => {
    const clock = new VirtualClock();
    const company = new Company(clock);
    let commits = 0;
    // Four clients that write again as soon as they are answered; a commit takes 3 ms.
    while (clock.monotonic() < 2000) {
      for (let session = 0; session < 4; session++) company.note([mark(session)]);
      if (company.expected) await clock.run(company.gather());
      company.left();
      await clock.advance(3);
      commits++;
    }
    expect(commits).toBeGreaterThan(200);
  });
});
