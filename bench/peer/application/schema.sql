CREATE TABLE IF NOT EXISTS scans (
    job_id     uuid PRIMARY KEY,
    user_id    text NOT NULL,
    image_url  text NOT NULL,
    user_input text,
    state      text NOT NULL DEFAULT 'queued',
    result     jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz
);
CREATE INDEX IF NOT EXISTS scans_user ON scans (user_id, created_at);
CREATE TABLE IF NOT EXISTS rewards (
    job_id     uuid PRIMARY KEY,
    user_id    text NOT NULL,
    character  text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS owned (
    user_id    text NOT NULL,
    character  text NOT NULL,
    PRIMARY KEY (user_id, character)
);
