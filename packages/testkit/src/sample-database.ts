import { Client } from "pg";
import { CONSTRAINTS, ODDITIES, SCHEMA } from "./sample-schema.ts";

/**
 * Fills an empty database with a webshop: several tables with foreign keys, one large one (`events`, about three quarters),
 * indexes, a view, a sequence, text, jsonb, numbers, times, uuids, arrays and bytea, all made inside the server. The same
 * seed and size give the same rows on the same PostgreSQL version. Resolves to `pg_database_size`, which is at least
 * `megabytes` (of 1,000,000 bytes), and more by a few per cent. A dump of it shrinks to about a third under `zstd -3`.
 */
export async function createSampleDatabase(
  url: string,
  options: { megabytes: number; seed?: number },
): Promise<number> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await fill(client, options.megabytes, options.seed ?? 1);
  } finally {
    await client.end();
  }
}

async function fill(client: Client, megabytes: number, seed: number): Promise<number> {
  await client.query("set synchronous_commit = off; set maintenance_work_mem = '256MB'; set time zone 'UTC'");
  await client.query(`${SCHEMA}${FUNCTIONS}`);
  const rows = {
    products: 200 + 20 * megabytes,
    customers: 500 + 100 * megabytes,
    orders: 400 * megabytes,
    reviews: 150 * megabytes,
  };
  await client.query(shop(rows, seed));

  // Most of the events go in before the indexes, the rest after them, until the size is reached.
  const empty = await sizeOf(client);
  let last = await addEvents(client, 0, 1000, rows.customers, seed);
  const perRow = Math.max(1, (await sizeOf(client)) - empty) / last;
  const target = megabytes * 1_000_000;
  last = await addEvents(client, last, Math.floor(((target - empty) * 0.8) / perRow), rows.customers, seed);
  await client.query(CONSTRAINTS);
  for (;;) {
    const size = await sizeOf(client);
    if (size >= target) break;
    last = await addEvents(client, last, Math.ceil(((target - size) * 1.02) / perRow), rows.customers, seed);
  }
  await client.query(`drop function sample_words, sample_hash; analyze`);
  return sizeOf(client);
}

async function sizeOf(client: Client): Promise<number> {
  const { rows } = await client.query<{ size: string }>("select pg_database_size(current_database()) as size");
  return Number(rows[0]?.size);
}

const WORDS =
  "the of and to in is was for on that with as it at by from order paid sent shirt green small large price ship " +
  "return stock cotton summer winter offer basket code gift card quick delivery customer service package window " +
  "kitchen garden leather wooden bottle camera travel coffee table lamp paper silver classic modern design quality " +
  "weather river mountain evening colour meadow harbour";

/**
 * `sample_hash(n, seed)`: 64 well mixed bits for row n. `sample_words(h)`: ten of 64 words, six bits of h each. Both are
 * plain expressions that the planner puts inline; text out of random words compresses about as well as prose does.
 */
const FUNCTIONS = `
  create function sample_hash(n bigint, seed bigint) returns bigint language sql immutable parallel safe
    return hashint8extended(n, seed);
  create function sample_words(h bigint) returns text language sql immutable parallel safe
    as $$ select ${Array.from({ length: 10 }, (_, i) => word("h", i * 6)).join(" || ' ' || ")} $$;
`;

function word(hash: string, shift: number): string {
  return `('{${WORDS.split(" ").join(",")}}'::text[])[1 + ((${hash} >> ${shift}) & 63)::int]`;
}

/** A whole number from 0 to `below` - 1, out of some of the hash's bits. */
const pick = (hash: string, shift: number | string, below: number) =>
  `(((${hash} >> ${shift}) & 1048575) % ${below})::int`;

/** `i` with hashes `h` and `g`; the offset keeps the planner from computing them again for every use. */
const numbered = (from: number, to: number, seed: number) => `
  (select i, sample_hash(i, ${seed}) as h, sample_hash(i, ${seed + 1_000_003}) as g
   from generate_series(${from}::bigint, ${to}) as i offset 0) as n`;

function shop(rows: Record<"products" | "customers" | "orders" | "reviews", number>, seed: number): string {
  return `
    insert into categories select i, nullif(i / 10, 0), initcap(${word("h", 0)}) || ' ' || i
      from ${numbered(1, 120, seed)};
    insert into products select i, upper(to_hex(h & 16777215)) || '-' || i, initcap(${word("h", 3)} || ' ' || ${word("h", 9)}),
        sample_words(h) || ', ' || sample_words(g) || '.', ${pick("h", 20, 50_000)} / 100.0 + 0.99, 1 + ${pick("g", 7, 120)},
        jsonb_build_object('weight', ${pick("g", 11, 5000)}, 'colour', ${word("g", 20)}, 'sizes', jsonb_build_array('S', 'M', ${pick("h", 9, 60)})),
        array[${word("h", 30)}, ${word("g", 30)}], sha256(i::text::bytea) || sha256(h::text::bytea), date '2019-01-01' + ${pick("g", 5, 2500)}
      from ${numbered(1, rows.products, seed + 1)};
    insert into customers select i, md5(h::text || g)::uuid, ${word("h", 0)} || '.' || i || '@example.org', initcap(${word("h", 6)} || ' ' || ${word("h", 12)}),
        jsonb_build_object('street', initcap(${word("g", 0)}) || ' street ' || ${pick("g", 8, 300)}, 'city', initcap(${word("g", 14)}), 'zip', ${pick("h", 4, 99_999)}),
        array['+49 ' || ${pick("g", 24, 999_983)} || ${pick("h", 24, 9973)}], ${pick("h", 30, 1_000_000)} / 7.0, date '1950-01-01' + ${pick("g", 3, 20_000)},
        timestamptz '2020-01-01' + ${pick("h", 2, 1_000_000)} * interval '150 seconds', case when h & 3 = 0 then sample_words(g) end
      from ${numbered(1, rows.customers, seed + 2)};
    insert into orders select i, 1 + ${pick("h", 13, rows.customers)}, (enum_range(null::order_status))[1 + (g & 3)::int],
        case when g & 3 > 0 then nextval('invoice_numbers') end, timestamptz '2021-01-01' + i * interval '97 seconds' + ${pick("h", 20, 97_000)} * interval '1 ms',
        case when g & 3 > 1 then jsonb_build_object('carrier', ${word("g", 9)}, 'tracking', to_hex(h)) end, ${pick("g", 14, 99_999)} / 100.0
      from ${numbered(1, rows.orders, seed + 3)};
    insert into order_items select i, line, 1 + ${pick("h", "(line * 7)", rows.products)}, 1 + (g >> line & 3), ${pick("g", 20, 50_000)} / 100.0, nullif((h & 7) / 20.0, 0)
      from ${numbered(1, rows.orders, seed + 3)}, generate_series(1, 1 + (h & 3)::int) as line;
    insert into reviews select 1 + ${pick("h", 4, rows.products)}, 1 + ${pick("g", 4, rows.customers)}, 1 + ${pick("h", 30, 5)},
        ${word("g", 40)} || ' ' || ${word("h", 40)}, sample_words(h) || ' ' || sample_words(g), timestamp '2022-01-01' + ${pick("g", 21, 1_000_000)} * interval '97 seconds'
      from ${numbered(1, rows.reviews, seed + 4)};
    ${ODDITIES}`;
}

/** Adds `count` events after row `last`, and returns the new last one. */
async function addEvents(
  client: Client,
  last: number,
  count: number,
  customers: number,
  seed: number,
): Promise<number> {
  const to = last + Math.max(0, count);
  await client.query(`
    insert into events select i, md5((h & -4096)::text)::uuid, case when h & 1 = 0 then 1 + ${pick("h", 13, customers)} end,
        ('{view,search,cart,checkout,login,logout,error,share}'::text[])[1 + (h & 7)::int], timestamptz '2023-01-01' + i * interval '731 ms' + ${pick("g", 33, 700)} * interval '1 ms',
        '/' || ${word("g", 2)} || '/' || ${word("g", 8)} || '/' || ${pick("g", 14, 9973)}, (h & 1048575) / 1000.0,
        ('10.' || ${pick("g", 1, 256)} || '.' || ${pick("g", 9, 256)} || '.' || ${pick("g", 17, 256)})::inet,
        case when g & 3 = 0 then jsonb_build_object('agent', ${word("h", 20)}, 'items', jsonb_build_array(h & 255, g & 4095), 'ok', h & 16 = 0) end,
        sample_words(g) || ' ' || sample_words(h)
      from ${numbered(last + 1, to, seed + 5)}`);
  return to;
}
