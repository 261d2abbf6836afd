-- A rollout carries a release to its audience. `members` holds one byte per fleet index: the phase of the device, 0 for none.
-- `rev` grows with every write of a reconciler or a person, so that a step decided on old facts is not taken.
create table rollout (
  id int generated always as identity primary key,
  release_id text not null unique references release (id),
  state text not null check (state in (
    'draft', 'planned', 'authorised', 'scheduled', 'running', 'paused', 'completed', 'completed-with-residual',
    'backing-out', 'backed-out', 'aborted', 'closed')),
  state_since timestamptz not null,
  rev bigint not null default 1,
  audience_mode text not null check (audience_mode in ('frozen', 'dynamic')),
  audience_query text not null,
  members bytea not null,
  pause_reason text,
  paused_by text,
  paused_at timestamptz,
  started_at timestamptz not null,
  finished_at timestamptz
);
create index rollout_active on rollout (id) where state in ('running', 'paused', 'backing-out', 'completed', 'completed-with-residual');

create table phase (
  rollout_id int not null references rollout (id),
  ord smallint not null check (ord between 1 and 250),
  name text not null,
  query text not null,
  size int not null check (size >= 0),
  late_joiners int not null default 0,
  state text not null check (state in (
    'waiting', 'preparing', 'open', 'soaking', 'evaluating', 'not-enough-evidence', 'held', 'succeeded', 'failed',
    'paused', 'backing-out', 'backed-out', 'skipped')),
  state_since timestamptz not null,
  state_because text not null default '',
  soaking_since timestamptz,
  advance_at_permille int not null,
  success_permille_min int not null,
  failure_budget int not null,
  in_flight_max int not null,
  soak_seconds int not null,
  silence_budget int not null,
  not_before timestamptz,
  not_after timestamptz,
  audience_root text,
  primary key (rollout_id, ord)
);

-- The current job of a device in a rollout. It appears when the device first acts; a retry or a back-out takes its place
-- under a new id. What happened before is in `report`.
create sequence job_id;
create table job (
  rollout_id int not null references rollout (id),
  device_id int not null references device (id),
  id bigint not null unique default nextval('job_id'),
  phase smallint not null,
  attempt int not null default 1,
  action text not null check (action in ('install', 'back-out', 'remove')),
  state text not null check (state in (
    'assigned', 'offered', 'deferred', 'notified', 'accepted', 'downloading', 'download-waiting', 'staged', 'installing',
    'interrupted', 'recovering', 'awaiting-restart', 'verifying', 'held', 'succeeded', 'rolling-back', 'rolled-back',
    'blocked', 'failed-retryable', 'failed-needs-human', 'excused', 'not-applicable', 'already-present', 'cancelled',
    'superseded')),
  state_since timestamptz not null,
  wait_reason text,
  stuck_reason text,
  sentence text,
  wakes_on text,
  report_seq bigint not null default 0,
  primary key (rollout_id, device_id)
) with (fillfactor = 70);
create index job_device on job (device_id);
create index job_state on job (rollout_id, state, device_id);
create index job_cause on job (rollout_id, phase, state, (coalesce(stuck_reason, wait_reason)))
  where state in ('blocked', 'download-waiting', 'failed-retryable', 'failed-needs-human', 'rolled-back');

-- Kept by every transaction that changes a job. Nothing of the running system counts jobs.
create table phase_count (
  rollout_id int not null,
  ord smallint not null,
  action text not null,
  state text not null,
  devices int not null check (devices >= 0),
  primary key (rollout_id, ord, action, state),
  foreign key (rollout_id, ord) references phase (rollout_id, ord)
) with (fillfactor = 50);

-- How verified and failed devices grew, one row a minute at the most, for the pace chart.
create table rollout_pace (
  rollout_id int not null references rollout (id),
  at timestamptz not null,
  verified int not null,
  failures int not null,
  primary key (rollout_id, at)
);

-- What the device is allowed and asked to do: the signed assignment, once per device. `stale` asks for a new one.
-- `report_high` is the number up to which its reports are stored.
create sequence assignment_generation;
create table assignment (
  device_id int primary key references device (id),
  generation bigint not null,
  document jsonb,
  expires_at timestamptz,
  stale boolean not null default false,
  report_high bigint not null default 0
) with (fillfactor = 70);
create index assignment_stale on assignment (device_id) where stale;

-- The device's own words, numbered without gaps by the device. Append-only; a repeated number changes nothing.
create table report (
  device_id int not null references device (id),
  seq bigint not null check (seq > 0),
  job_id bigint not null,
  rollout_id int,
  at timestamptz not null,
  received_at timestamptz not null,
  step text not null,
  sentence text not null,
  notes jsonb,
  receipt jsonb,
  receipt_valid boolean,
  primary key (device_id, seq)
);
create index report_job on report (job_id, seq);
create trigger report_append_only before update or truncate on report
  for each statement execute function ledger_is_append_only();
