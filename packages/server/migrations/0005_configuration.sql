-- A product line numbers its releases. Devices remember its code and the highest counter they saw, so a code is never
-- changed and never given twice, not even after the line was retired.
create table product_line (
  id uuid primary key,
  code text not null unique check (code ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(code) <= 60),
  name text not null,
  board_name text,
  counter int not null default 0 check (counter >= 0),
  version int not null default 1,
  created_at timestamptz not null,
  retired_at timestamptz
);
create index product_line_listed on product_line (lower(name), id);

-- What is under configuration control. A device's item has the key id of the device as its key, a software version's
-- `name version`, a service's its code.
create table ci (
  id uuid primary key,
  class text not null check (class in ('service', 'software', 'device')),
  key text not null,
  name text not null,
  attributes jsonb not null default '{}',
  state text not null default 'in-use' check (state in ('in-use', 'retired')),
  device_id int unique references device (id),
  since_at timestamptz not null,
  unique (class, key),
  check ((class = 'device') = (device_id is not null))
);
create index ci_listed on ci (lower(name), id);
create index ci_class_listed on ci (class, lower(name), id);

-- `slot` is what there can be one of: the name of the package a device runs. Empty where a relation has none.
create table ci_relation (
  from_id uuid not null references ci (id),
  kind text not null check (kind in ('runs', 'depends-on')),
  slot text not null default '',
  to_id uuid not null references ci (id),
  attributes jsonb not null default '{}',
  since_at timestamptz not null,
  primary key (from_id, kind, slot, to_id)
);
create unique index ci_relation_one_per_slot on ci_relation (from_id, kind, slot) where slot <> '';
create index ci_relation_to on ci_relation (to_id, kind, from_id);

-- Every update of the CMDB, for good. `source` names what caused it; the same cause never counts twice.
create table ci_history (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  ci_id uuid not null references ci (id),
  change text not null check (change in ('installed', 'updated', 'confirmed', 'removed', 'added', 'changed', 'retired')),
  slot text not null default '',
  before jsonb,
  after jsonb,
  release_id text,
  source text not null unique
);
create index ci_history_of on ci_history (ci_id, id);
create index ci_history_release on ci_history (release_id, id) where release_id is not null;
create trigger ci_history_append_only before update or delete or truncate on ci_history
  for each statement execute function ledger_is_append_only();

-- What a set of devices ran at one moment: one line per device and package, sorted, with the SHA-256 over all of them.
create table baseline (
  id uuid primary key,
  label text not null,
  at timestamptz not null,
  -- A query, or the devices themselves; exactly one of them says whose baseline it is.
  scope text not null,
  device_ids int[],
  release_id text,
  devices int not null,
  entries int not null,
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  content text not null,
  made_by text not null
);
create index baseline_newest on baseline (at desc, id desc);
create index baseline_release on baseline (release_id) where release_id is not null;

-- Where the inventory of a device says other than the CMDB. Judged when either of them changes, never by a scan.
create table drift (
  device_id int not null references device (id),
  package text not null,
  kind text not null check (kind in ('other-version', 'missing', 'unmanaged')),
  expected text,
  found text,
  since_at timestamptz not null,
  primary key (device_id, package)
);

create table service (
  id uuid primary key references ci (id),
  code text not null check (code = lower(code)),
  name text not null,
  purpose text not null default '',
  criticality text not null check (criticality in ('low', 'medium', 'high', 'critical')),
  owner_person_id uuid references person (id),
  org_unit_id uuid references org_unit (id),
  time_zone text not null,
  hours jsonb not null default '[]',
  -- Names of the packages it consists of, so that a release tells which services it touches.
  uses text[] not null default '{}',
  version int not null default 1,
  created_at timestamptz not null,
  retired_at timestamptz
);
create unique index service_code on service (code) where retired_at is null;
create index service_listed on service (lower(name), id);
create index service_uses on service using gin (uses);
