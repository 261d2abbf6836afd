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
