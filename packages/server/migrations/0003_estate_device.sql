-- Substrings of device names are looked for by trigrams; the extension is trusted, so the owner of a database may create it.
create extension if not exists pg_trgm;

-- What lets a device in once or a few times. Only the hash of a token is kept: it has 256 random bits and needs no salt.
create table enrolment_token (
  id uuid primary key,
  label text not null,
  hash bytea not null unique check (length(hash) = 32),
  site_id uuid references site (id),
  org_unit_id uuid references org_unit (id),
  roles text[] not null default '{}',
  auto_approve boolean not null,
  uses_max int not null check (uses_max > 0),
  uses int not null default 0 check (uses between 0 and uses_max),
  from_network text,
  made_by text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz
);
create index enrolment_token_listed on enrolment_token (created_at, id);

-- `id` is the fleet index: small, never used twice, the place of the device in every byte array. What changes with every
-- check-in is in device_presence, because a new version of this row touches all of its indexes.
create table device (
  id int generated always as identity primary key,
  key_id text collate "C" not null unique check (key_id ~ '^[0-9a-f]{64}$'),
  public_key text not null check (public_key ~ '^[0-9a-f]{64}$'),
  name text collate "C" not null check (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'),
  state text not null check (state in ('pending', 'active', 'suspended', 'revoked', 'decommissioned')),
  state_since timestamptz not null,
  site_id uuid references site (id),
  org_unit_id uuid references org_unit (id),
  owner_person_id uuid references person (id),
  roles text[] not null default '{}',
  tags text[] not null default '{}',
  agent_version text not null,
  facts jsonb not null default '{}',
  facts_hash text not null default '',
  facts_at timestamptz,
  -- Both are made from the facts by `indexFacts` in domain, so that SQL and memory compare the same bytes.
  terms text[] not null default '{}',
  order_keys jsonb not null default '{}',
  enrolment_token_id uuid references enrolment_token (id),
  version int not null default 1,
  enrolled_at timestamptz not null
);
create index device_name on device (lower(name), id);
create index device_name_part on device using gin (lower(name) gin_trgm_ops);
create index device_state on device (state, id);
create index device_site on device (site_id, id);
create index device_org_unit on device (org_unit_id, id);
create index device_owner on device (owner_person_id) where owner_person_id is not null;
create index device_roles on device using gin (roles);
create index device_tags on device using gin (tags);
create index device_terms on device using gin (terms);
-- A device without the fact sorts first and lies in no range that anybody asks for.
create index device_os on device
  (((coalesce(order_keys ->> 'os', '') || coalesce(order_keys ->> 'os.version', '')) collate "C"), id);
create index device_agent_version on device ((coalesce(order_keys ->> 'agent.version', '') collate "C"), id);
create index device_os_version on device ((coalesce(order_keys ->> 'os.version', '') collate "C"), id);
create index device_disk_free on device ((coalesce(order_keys ->> 'disk.free.bytes', '') collate "C"), id);

-- When a device was last heard of and how often it comes. Written behind in batches; only this may be lost in a crash.
-- No index but the key, so that an update stays within its page.
create table device_presence (
  device_id int primary key references device (id),
  last_seen_at timestamptz not null,
  seq bigint not null default 0,
  habit_seconds real not null default 0
) with (fillfactor = 50);

-- A question to the fleet with a name: groups, saved views, audiences to choose from.
create table audience (
  id uuid primary key,
  name text not null,
  query text not null,
  made_by text not null,
  version int not null default 1,
  created_at timestamptz not null,
  retired_at timestamptz
);
create unique index audience_name on audience (lower(name)) where retired_at is null;
create index audience_listed on audience (lower(name), id);
