/**
 * JSON as it may stand in a fenced block of a message: printable ASCII, and no backtick that could end the block.
 * Outside its strings JSON has no such characters, so an escape is always right.
 */
export function asciiJson(json: string): string {
  return json.replace(/[^\x20-\x7e]|`/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** One line of JSON laid out for a person: each top-level field on its own line. */
export function layOut(json: string): string {
  let depth = 0;
  let start = 0;
  let out = '';
  for (let at = 0; at < json.length; at++) {
    const char = json[at]!;
    if (char === '"') {
      at = endOfString(json, at);
    } else if (char === '{' || char === '[') {
      depth++;
    } else if (char === '}' || char === ']') {
      depth--;
    }
    const opens = depth === 1 && at === 0;
    const separates = depth === 1 && char === ',';
    if (opens || separates) {
      out += `${json.slice(start, at + 1)}\n  `;
      start = at + 1;
      while (json[start] === ' ') start++;
    }
  }
  const last = json.slice(start, -1).trimEnd();
  return last === '' ? json : `${out}${last}\n}`;
}

/** Index of the quote that closes the string opened at `open`. */
function endOfString(json: string, open: number): number {
  let at = open + 1;
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at;
}
