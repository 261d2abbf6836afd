-- A release is spoken of by its short id. Its plan may change until the start; then the manifest fixes it.
create sequence release_number;
create table release (
  id text primary key default 'REL-' || lpad(nextval('release_number')::text, 4, '0'),
  title text not null,
  version text not null,
  product_line text not null,
  objective text not null default '',
  state text not null default 'draft' check (state in (
    'draft', 'planned', 'building', 'testing', 'accepting', 'authorised', 'rolling-out', 'early-life',
    'in-review', 'closed', 'on-hold', 'cancelled', 'backing-out', 'backed-out')),
  state_since timestamptz not null,
  plan jsonb not null,
  owner_id text not null,
  owner_name text not null,
  counter int check (counter > 0),
  manifest_sha256 text check (manifest_sha256 ~ '^[0-9a-f]{64}$'),
  manifest_size_bytes int check (manifest_size_bytes > 0),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (product_line, counter),
  check ((counter is null) = (manifest_sha256 is null)),
  check ((manifest_sha256 is null) = (manifest_size_bytes is null))
);
create index release_newest on release (created_at desc, id desc);
create index release_state on release (state, created_at desc, id desc);
