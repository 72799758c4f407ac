import { expect, test } from 'vitest';
import { Decimal128 } from '../support/driver.ts';
import { ownServer } from '../support/own-server.ts';

const own = ownServer();

async function evaluate(expression: object) {
  const [found] = await own.db.aggregate([{ $documents: [{}] }, { $addFields: { r: expression } }]).toArray();
  return found;
}

test('texts of dates that only people understand are not read', async () => {
  await expect(evaluate({ $dateFromString: { dateString: 'tomorrow' } })).rejects.toMatchObject({ code: 241 });
});

test('angles beyond the digits of pi are refused', async () => {
  await expect(evaluate({ $sin: Decimal128.fromString('1E+6000') })).rejects.toMatchObject({ code: 238 });
});

test('dates that only BSON can hold have no parts', async () => {
  await expect(evaluate({ $year: { $toDate: 8640000000000001n } })).rejects.toMatchObject({ code: 238 });
});
