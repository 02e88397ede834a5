/** The webshop's tables, filled by sample-database.ts. Constraints and indexes come after the rows: that is much faster. */
export const SCHEMA = `
  create type order_status as enum ('new', 'paid', 'shipped', 'returned');
  create domain email as text check (value ~ '^[^@ ]+@[^@ ]+$');
  create sequence invoice_numbers start 100000 increment 7;

  create table categories (id int primary key, parent_id int references categories, name text not null);
  create table products (
    id int primary key, sku text not null, name text not null, description text, price numeric(10,2) not null,
    category_id int not null, attributes jsonb not null, tags text[] not null, thumbnail bytea, added_on date not null);
  create table customers (
    id int primary key, token uuid not null, email email not null, name text not null, address jsonb not null,
    phones text[], credit numeric(12,4), born_on date, created_at timestamptz not null, note text,
    name_length int generated always as (length(name)) stored);
  create table orders (
    id bigint primary key, customer_id int not null, status order_status not null, invoice bigint, placed_at timestamptz not null,
    shipping jsonb, total numeric(12,2) not null check (total >= 0));
  create table order_items (
    order_id bigint not null, line smallint not null, product_id int not null, quantity smallint not null,
    price numeric(10,2) not null, discount real, primary key (order_id, line));
  create table reviews (
    product_id int not null, customer_id int not null, rating smallint not null check (rating between 1 and 5),
    title text, body text, written_at timestamp not null);
  create table events (
    id bigint primary key, session uuid not null, customer_id int, kind text not null, at timestamptz not null,
    path text not null, duration double precision, address inet, payload jsonb, message text);
  create table oddities (id int primary key, what text not null, t text, n numeric, d double precision, at timestamptz, a int[], b bytea);

  create view order_overview as
    select o.id, c.name as customer, o.status, o.total, count(i.line) as lines
    from orders o join customers c on c.id = o.customer_id left join order_items i on i.order_id = o.id
    group by o.id, c.name;
  comment on table events is 'What visitors do; by far the largest table.';
`;

/** Values that careless copying spoils. */
export const ODDITIES = `
  insert into oddities values
    (1, 'empty and null', '', null, null, null, '{}', ''),
    (2, 'not a number', null, 'NaN', 'NaN', 'infinity', '{1,null,3}', '\\x00ff'),
    (3, 'infinite', null, null, '-infinity', '-infinity', null, null),
    (4, 'minus zero', '-0', -0.0, '-0', '0044-03-15 12:00:00+00 BC', '{{1,2},{3,4}}', null),
    (5, 'copy format', E'tab\\there, line\\nthere, back\\\\slash, \\\\N, \\\\.', 1e-20, 1e-300, null, null, '\\x5c2e0a'),
    (6, 'unicode', 'Zoë — 東京 🐘 ﷽', 123456789012345678901234567890.123456789, pi(), '2024-02-29 23:59:59.999999+00', null, null);
`;

export const CONSTRAINTS = `
  alter table products add foreign key (category_id) references categories;
  alter table orders add foreign key (customer_id) references customers;
  alter table order_items add foreign key (order_id) references orders on delete cascade;
  alter table order_items add foreign key (product_id) references products;
  alter table reviews add foreign key (product_id) references products;
  alter table reviews add foreign key (customer_id) references customers;
  alter table events add foreign key (customer_id) references customers;

  create unique index on products (sku);
  create index on products using gin (attributes);
  create unique index on customers (lower(email));
  create index on orders (customer_id, placed_at desc);
  create index on orders (placed_at) where status = 'new';
  create index on order_items (product_id);
  create index on reviews (product_id);
  create index on events (at);
`;
