-- What a person wants to see of the fleet again, under a name. It is that person's alone.
create table saved_view (
  id uuid primary key,
  person_id uuid not null references person (id) on delete cascade,
  name text not null check (length(name) between 1 and 60),
  query text not null,
  device_order text not null,
  work text,
  release_id text,
  columns text[] not null default '{}',
  version int not null default 1,
  created_at timestamptz not null
);
create unique index saved_view_name on saved_view (person_id, lower(name));

-- The releases that a person keeps at hand.
create table pinned_release (
  person_id uuid not null references person (id) on delete cascade,
  release_id text not null references release (id),
  pinned_at timestamptz not null,
  primary key (person_id, release_id)
);
