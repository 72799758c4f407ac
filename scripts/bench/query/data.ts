export const OWNERS = 1000;
export const GROUPS = 100;

export interface Thing {
  _id: number;
  rank: number;
  price: number;
  group: number;
  owner: number;
  name: string;
  tags: string[];
  place: { city: string; floor: number };
  count: number;
}

export interface Owner {
  _id: number;
  name: string;
}

const CITIES = ['Aarhus', 'Bergen', 'Chania', 'Delft', 'Espoo'];
const TAGS = ['red', 'green', 'blue', 'wood', 'steel', 'glass', 'small'];

/** A permutation of 0 to `count` - 1: no order that a scan would meet by luck. */
const shuffled = (id: number, count: number) => (id * 7919) % count;

/** About 200 bytes of BSON each. */
export function things(count: number): Thing[] {
  return Array.from({ length: count }, (_, _id) => ({
    _id,
    rank: shuffled(_id, count),
    price: ((_id * 104_729) % 99_991) / 100,
    group: _id % GROUPS,
    owner: shuffled(_id, OWNERS),
    name: `thing number ${String(_id).padStart(10, '0')}`,
    tags: [TAGS[_id % 7]!, TAGS[(_id * 3 + 1) % 7]!],
    place: { city: CITIES[_id % 5]!, floor: _id % 40 },
    count: 0,
  }));
}

export function owners(): Owner[] {
  return Array.from({ length: OWNERS }, (_, _id) => ({ _id, name: `owner ${_id}` }));
}
