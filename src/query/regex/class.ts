import { type CharacterSets, complementOf } from './character-sets.ts';
import { literal, readCharacter, readSet } from './escape.ts';
import { type Reader, refused } from './reader.ts';

/** One member: a character, which can begin or end a range, or a set, which cannot. */
interface Member {
  readonly text: string;
  readonly point: number | undefined;
}

/** Reads a class in brackets, where a `]` in front is a member, and `[`, `&&` are letters. */
export function readClass(reader: Reader, sets: CharacterSets): string {
  reader.accept('[');
  let out = reader.accept('^') ? '[^' : '[';
  for (let first = true; first || !reader.accept(']'); first = false) {
    if (reader.done) throw refused('missing terminating ] for character class');
    const member = readMember(reader, sets);
    if (!member) continue;
    out += member.text;
    if (member.point === undefined || !reader.take(/-(?=[^\]])/y)) continue;
    const end = readMember(reader, sets);
    if (!end) continue;
    // A hyphen before a set is a letter.
    if (end.point === undefined) out += `${literal('-')}${end.text}`;
    else if (end.point < member.point) throw refused('range out of order in character class');
    else out += `-${end.text}`;
  }
  return `${out}]`;
}

/** Undefined for what stands for nothing: `\E`, or quotes around nothing. */
function readMember(reader: Reader, sets: CharacterSets): Member | undefined {
  if (reader.take(/\\E/y)) return undefined;
  const quoted = reader.take(/\\Q([\s\S]*?)(?:\\E|$)/y);
  if (quoted) {
    if (!quoted[1]) return undefined;
    return { text: [...quoted[1]].map(literal).join(''), point: undefined };
  }
  const posix = reader.take(/\[:(\^?)(\w+):\]/y);
  if (posix) {
    const inside = sets.posix[posix[2]!];
    if (inside === undefined) throw refused('unknown POSIX class name');
    return { text: posix[1] ? (complementOf(inside) ?? `[^${inside}]`) : inside, point: undefined };
  }
  if (reader.next !== '\\') return character(literal(reader.char()));
  if (reader.take(/\\b/y)) return character(literal('\b'));
  if (reader.take(/\\[BRX]/y)) throw refused('escape sequence is invalid in character class');
  const set = readSet(reader, sets);
  return set === undefined ? character(readCharacter(reader)) : { text: unbracketed(set), point: undefined };
}

/** A set within brackets needs none of its own, unless it is the complement of one that has no end. */
function unbracketed(set: string): string {
  const bracketed = /^\[(\^?)([\s\S]*)\]$/.exec(set);
  if (!bracketed) return set;
  return bracketed[1] ? (complementOf(bracketed[2]!) ?? set) : bracketed[2]!;
}

function character(text: string): Member {
  const coded = /^\\x\{([0-9a-f]+)\}$/.exec(text);
  return { text, point: coded ? Number.parseInt(coded[1]!, 16) : text.codePointAt(0) };
}
