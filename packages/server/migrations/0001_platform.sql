-- What the server remembers about itself. `epoch` changes with every restore, so that nobody takes old answers for new ones.
create table server_meta (
  only_one boolean primary key default true check (only_one),
  epoch uuid not null default gen_random_uuid(),
  environment text not null default 'production',
  created_at timestamptz not null default now()
);
insert into server_meta default values;

-- Every fact, once, in the transaction of the change it tells of. Nobody updates or deletes here; see the trigger.
create table ledger (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  actor_kind text not null check (actor_kind in ('person', 'machine', 'device', 'system')),
  actor_id text not null,
  actor_name text not null,
  did text not null check (did ~ '^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$'),
  subject_kind text not null,
  subject_id text not null,
  release_id text,
  before jsonb,
  after jsonb
);
create index ledger_subject on ledger (subject_kind, subject_id, id);
create index ledger_release on ledger (release_id, id) where release_id is not null;
create index ledger_actor on ledger (actor_id, id);

-- Seals chain the ledger: `leaves` are the hashes of the rows listed by `row_ids` (32 bytes each), `root` is their
-- Merkle root and `seal` covers `root` and the seal before.
create table ledger_seal (
  id bigint primary key check (id > 0),
  sealed_at timestamptz not null,
  row_ids bigint[] not null check (cardinality(row_ids) > 0),
  leaves bytea not null check (length(leaves) = 32 * cardinality(row_ids)),
  root bytea not null check (length(root) = 32),
  previous bytea not null check (length(previous) = 32),
  seal bytea not null unique check (length(seal) = 32)
);

-- Rows that no seal covers yet. A row enters with its fact and leaves with its seal, whatever the order of commits was. Only the
-- trigger writes here, so a foreign key would prove nothing; its check read the whole ledger for every fact.
create table ledger_unsealed (
  ledger_id bigint primary key
);

create function ledger_is_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'the ledger is append-only: % of % refused', tg_op, tg_table_name using errcode = 'insufficient_privilege';
end $$;

create trigger ledger_append_only before update or delete or truncate on ledger
  for each statement execute function ledger_is_append_only();
create trigger ledger_seal_append_only before update or delete or truncate on ledger_seal
  for each statement execute function ledger_is_append_only();

create function ledger_wants_seal() returns trigger language plpgsql as $$
begin
  insert into ledger_unsealed (ledger_id) select id from fresh;
  return null;
end $$;

create trigger ledger_wants_seal after insert on ledger
  referencing new table as fresh for each statement execute function ledger_wants_seal();

-- One row per thing that somebody looks at from time to time. `rev` grows with every wake, so that a wake during a run is not lost.
create table timer (
  kind text not null,
  key text not null,
  due_at timestamptz not null,
  rev bigint not null default 1,
  locked_until timestamptz,
  locked_by text,
  attempts int not null default 0,
  last_error text,
  primary key (kind, key)
);
create index timer_due on timer (due_at) where due_at < 'infinity';

-- What the outside world must hear, written with the change and delivered after it, at least once.
create table outbox (
  id bigint generated always as identity primary key,
  sink text not null,
  topic text not null,
  payload jsonb not null,
  created_at timestamptz not null default now(),
  due_at timestamptz not null default now(),
  attempts int not null default 0,
  last_error text,
  state text not null default 'waiting' check (state in ('waiting', 'delivered', 'dead')),
  settled_at timestamptz
);
create index outbox_due on outbox (due_at) where state = 'waiting';
