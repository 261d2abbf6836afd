-- The library: what may be released, by digest. A version never changes; retiring takes it out of new plans only.
create table package (
  id uuid primary key,
  name text not null unique check (name ~ '^[a-z0-9][a-z0-9._-]{0,59}$'),
  vendor text not null,
  class text not null,
  created_at timestamptz not null
);

create table package_version (
  id uuid primary key,
  package_id uuid not null references package (id),
  version text not null,
  index_digest text not null unique check (index_digest ~ '^sha256:[0-9a-f]{64}$'),
  index_size_bytes int not null check (index_size_bytes > 0),
  -- Bytes of all blobs of the version, each once.
  size_bytes bigint not null check (size_bytes > 0),
  file_count int not null check (file_count >= 0),
  state text not null default 'active' check (state in ('active', 'retired')),
  -- Per variant: condition, manifest, recipe and modules; see `StoredVariant` in the library feature.
  spec jsonb not null,
  uploaded_by_kind text not null,
  uploaded_by_id text not null,
  uploaded_by_name text not null,
  uploaded_at timestamptz not null,
  retired_at timestamptz,
  unique (package_id, version),
  check ((state = 'retired') = (retired_at is not null))
);
create index package_version_newest on package_version (package_id, uploaded_at desc, id desc);

create table package_file (
  version_id uuid not null references package_version (id),
  variant text not null,
  path text not null,
  module text not null,
  mode int,
  size_bytes bigint,
  sha256 text check (sha256 ~ '^[0-9a-f]{64}$'),
  link_target text,
  primary key (version_id, variant, path),
  check ((link_target is null) = (sha256 is not null))
);

-- Blobs that versions consist of. The bytes lie in the blob store; a digest that is here is never deleted there.
create table blob (
  digest text primary key check (digest ~ '^sha256:[0-9a-f]{64}$'),
  media_type text not null,
  size_bytes bigint not null check (size_bytes > 0),
  stored_at timestamptz not null
);

create table package_version_blob (
  version_id uuid not null references package_version (id),
  digest text not null references blob (digest),
  primary key (version_id, digest)
);
create index package_version_blob_digest on package_version_blob (digest);
