-- The name under which a board signed the release of a rollout. Rollouts from before the boards signed had another one,
-- which no board lists: devices that are still asked to do something for them refuse it and say so.
alter table rollout add column path text;
update rollout set path = e.product_line || '/normal/' || e.id || '.json' from release e where e.id = rollout.release_id;
alter table rollout alter column path set not null;
