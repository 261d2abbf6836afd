-- What was frozen when a board was asked: who belongs to which phase, one byte per fleet index as in `rollout`, and the
-- phases as they were signed. The start of the rollout uses exactly these.
alter table release
  add column members bytea,
  add column frozen_phases jsonb,
  add column packages_pinned jsonb,
  add column audience int check (audience >= 0);

-- A public key that somebody registered for signing. The private part never comes here; `wrapped` is one that only a passkey opens.
create table member_key (
  key_id text primary key check (key_id ~ '^[0-9a-f]{64}$'),
  public_key text not null unique check (public_key ~ '^[0-9a-f]{64}$'),
  level smallint not null check (level between 1 and 3),
  label text not null,
  person_id uuid references person (id),
  wrapped jsonb,
  created_at timestamptz not null,
  retired_at timestamptz,
  retired_reason text
);
create index member_key_person on member_key (person_id);

-- A question to a board about one release. It becomes exactly one change of one role file.
create sequence case_number;
create table decision_case (
  id text primary key default 'CASE-' || lpad(nextval('case_number')::text, 4, '0'),
  release_id text not null references release (id),
  kind text not null check (kind in (
    'go', 'emergency', 'ratify', 'open-phases', 'withdraw', 'back-out-from', 'stop', 'lift-stop')),
  state text not null check (state in (
    'preparing', 'open', 'go', 'deferred', 'no-go', 'revoked', 'expired', 'superseded', 'fulfilled')),
  state_since timestamptz not null,
  board text not null,
  role text not null,
  path text not null,
  decision jsonb not null,
  -- The release as it was when it was asked about; its plan may move again after a no-go.
  asked_for jsonb not null,
  reason text,
  deferred_until date,
  asked_by_id text not null,
  asked_by text not null,
  asked_at timestamptz not null,
  decided_at timestamptz,
  check ((state = 'deferred') <= (deferred_until is not null))
);
create index decision_case_release on decision_case (release_id);
create index decision_case_open on decision_case (asked_at) where state in ('open', 'deferred');
create index decision_case_newest on decision_case (asked_at desc, id desc);

-- The next versions of role files on their way to a quorum. One draft at a time signs a role; the others wait in the queue.
-- `documents` holds role, decision and the document to sign; it is empty while the draft is queued.
create table draft (
  id uuid primary key,
  kind text not null check (kind in ('decision', 'governance', 'ceremony')),
  title text not null,
  state text not null check (state in ('queued', 'signing', 'published', 'superseded', 'expired', 'withdrawn')),
  case_id text references decision_case (id),
  roles text[] not null check (cardinality(roles) > 0),
  documents jsonb not null,
  refusal jsonb,
  proposed_by_id text not null,
  proposed_by text not null,
  proposed_at timestamptz not null,
  published_at timestamptz
);
create index draft_waiting on draft (proposed_at) where state in ('queued', 'signing');
create unique index draft_case on draft (case_id) where state in ('queued', 'signing', 'published');

-- Every signature is kept, those above the quorum too: they are evidence of who agreed.
create table draft_signature (
  draft_id uuid not null references draft (id),
  role text not null,
  key_id text not null,
  sig text not null,
  by_name text not null,
  at timestamptz not null,
  primary key (draft_id, role, key_id)
);

-- A signed no-go or deferral, as the member signed it.
create table case_statement (
  case_id text not null references decision_case (id),
  key_id text not null,
  kind text not null check (kind in ('no-go', 'defer')),
  document jsonb not null,
  by_name text not null,
  at timestamptz not null,
  primary key (case_id, key_id, at)
);

-- Why a device's own verification says no, for the fleet page.
alter table job
  add column refusal_code text,
  add column refusal_rule text;
create index job_refused on job (refusal_code, rollout_id) where refusal_code is not null;
