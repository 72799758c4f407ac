import vm from 'node:vm';
import { located } from '../error.ts';

/** How long one match may hold the server up. PCRE2 counts steps (10,000,000); in this engine only time can be bounded. */
export const MATCH_LIMIT_MS = 250;

const sandbox = { regex: /./, text: '' };
vm.createContext(sandbox);
const search = new vm.Script('regex.exec(text)');

/**
 * Runs one match that may run away, and ends it when it does: Location51156, as MongoDB says of its match limit. It
 * costs about a tenth of a millisecond, so it is not for every match.
 */
export function execGuarded(regex: RegExp, text: string, operator: string): RegExpExecArray | null {
  sandbox.regex = regex;
  sandbox.text = text;
  try {
    return search.runInContext(sandbox, { timeout: MATCH_LIMIT_MS });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw located(
      51156,
      `Error occurred while executing the regular expression in ${operator}. Result code: match limit exceeded`,
    );
  } finally {
    sandbox.text = '';
  }
}
