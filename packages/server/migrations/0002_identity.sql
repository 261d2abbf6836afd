-- Org units form a tree; `path` holds the ids from the root down to the unit itself, so that "this and all below" is one index look-up.
create table org_unit (
  id uuid primary key,
  code text not null check (code = lower(code)),
  name text not null,
  parent_id uuid references org_unit (id),
  path uuid[] not null check (path[cardinality(path)] = id),
  version int not null default 1,
  created_at timestamptz not null,
  retired_at timestamptz,
  check (parent_id is null or parent_id <> id)
);
create unique index org_unit_code on org_unit (code) where retired_at is null;
create index org_unit_parent on org_unit (parent_id);
create index org_unit_path on org_unit using gin (path);
create index org_unit_listed on org_unit (lower(name), id);

create table site (
  id uuid primary key,
  code text not null check (code = lower(code)),
  name text not null,
  time_zone text not null,
  country text check (country ~ '^[A-Z]{2}$'),
  region text,
  version int not null default 1,
  created_at timestamptz not null,
  retired_at timestamptz
);
create unique index site_code on site (code) where retired_at is null;
create index site_listed on site (lower(name), id);

create table person (
  id uuid primary key,
  name text not null,
  email text not null check (email = lower(email)),
  org_unit_id uuid references org_unit (id),
  site_id uuid references site (id),
  job_role text,
  language text not null default 'en',
  time_zone text,
  version int not null default 1,
  created_at timestamptz not null,
  retired_at timestamptz
);
create unique index person_email on person (email) where retired_at is null;
create index person_listed on person (lower(name), id);
create index person_org_unit on person (org_unit_id, lower(name), id);
create index person_site on person (site_id, lower(name), id);

create table absence (
  id uuid primary key,
  person_id uuid not null references person (id),
  from_on date not null,
  until_on date not null,
  deputy_id uuid references person (id),
  note text,
  version int not null default 1,
  created_at timestamptz not null,
  retired_at timestamptz,
  check (from_on <= until_on),
  check (deputy_id is null or deputy_id <> person_id)
);
create index absence_listed on absence (from_on, id);
create index absence_person on absence (person_id, from_on);

-- Who has which role, everywhere or only within an org unit (with all below it) and/or at a site. A grant is never
-- changed: it is revoked and the row stays.
create table role_grant (
  id uuid primary key,
  person_id uuid not null references person (id),
  role text not null,
  org_unit_id uuid references org_unit (id),
  site_id uuid references site (id),
  granted_at timestamptz not null,
  granted_by text not null,
  revoked_at timestamptz
);
create unique index role_grant_once on role_grant (person_id, role, org_unit_id, site_id) nulls not distinct
  where revoked_at is null;
create index role_grant_listed on role_grant (granted_at, id) where revoked_at is null;

-- Keys of machines. Only the hash of a key is kept; with 256 random bits it needs no salt and no slow hash.
create table api_key (
  id uuid primary key,
  name text not null,
  start text not null,
  hash bytea not null unique check (length(hash) = 32),
  role text not null,
  org_unit_id uuid references org_unit (id),
  site_id uuid references site (id),
  made_by text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz
);
create index api_key_listed on api_key (created_at, id);

-- Codes that let somebody in once: the first administrator, and a sign-in link for a person.
create table one_time_code (
  hash bytea primary key check (length(hash) = 32),
  purpose text not null check (purpose in ('first-administrator', 'sign-in')),
  person_id uuid references person (id),
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  check ((purpose = 'sign-in') = (person_id is not null))
);

-- The four tables of better-auth, as its own generator wrote them, frozen here. A sign-in account has the id of its person.
create table auth_user (
  "id" uuid primary key references person (id),
  "name" text not null,
  "email" text not null unique,
  "emailVerified" boolean not null,
  "image" text,
  "createdAt" timestamptz not null default current_timestamp,
  "updatedAt" timestamptz not null default current_timestamp
);

create table auth_session (
  "id" uuid primary key default gen_random_uuid(),
  "expiresAt" timestamptz not null,
  "token" text not null unique,
  "createdAt" timestamptz not null default current_timestamp,
  "updatedAt" timestamptz not null,
  "ipAddress" text,
  "userAgent" text,
  "userId" uuid not null references auth_user ("id") on delete cascade
);
create index auth_session_user on auth_session ("userId");

create table auth_account (
  "id" uuid primary key default gen_random_uuid(),
  "accountId" text not null,
  "providerId" text not null,
  "userId" uuid not null references auth_user ("id") on delete cascade,
  "accessToken" text,
  "refreshToken" text,
  "idToken" text,
  "accessTokenExpiresAt" timestamptz,
  "refreshTokenExpiresAt" timestamptz,
  "scope" text,
  "password" text,
  "createdAt" timestamptz not null default current_timestamp,
  "updatedAt" timestamptz not null
);
create index auth_account_user on auth_account ("userId");

create table auth_verification (
  "id" uuid primary key default gen_random_uuid(),
  "identifier" text not null,
  "value" text not null,
  "expiresAt" timestamptz not null,
  "createdAt" timestamptz not null default current_timestamp,
  "updatedAt" timestamptz not null default current_timestamp
);
create index auth_verification_identifier on auth_verification ("identifier");
