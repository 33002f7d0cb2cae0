/** The token of each request: the application's own, or that of a session, which is refreshed here. */

import { ApiError, type Session } from "./errors.js";

/** Where a session is kept. Its refresh token is a secret: keep it where the platform keeps passwords. */
export interface SessionStore {
  load(): Session | undefined | Promise<Session | undefined>;
  /** Keeps the session's next pair of tokens; undefined once it has ended. */
  save(session: Session | undefined): void | Promise<void>;
}

/** A token, or what gives one; it is asked again after a token was refused. */
export type TokenSource = string | (() => string | Promise<string>);

/** Gives tokens. */
export interface Tokens {
  current(): Promise<string | undefined>;
  /** Another token, after this one was refused; undefined if there is none. */
  renewed(refused: string | undefined): Promise<string | undefined>;
}

/** Kept until the page or the process ends. */
export function inMemory(session?: Session): SessionStore {
  let kept = session;
  return {
    load: () => kept,
    save: (next) => {
      kept = next;
    },
  };
}

/** Tokens that the application looks after. */
export function given(source: TokenSource | undefined): Tokens {
  const current = async () => (typeof source === "function" ? source() : source);
  return {
    current,
    renewed: async (refused) => {
      const next = await current();
      return next === refused ? undefined : next;
    },
  };
}

/**
 * A session's tokens.
 *
 * They are refreshed when one is refused, and not by the clock: that of a phone may be wrong by hours. A refresh token
 * that is used twice ends its session, so it is used in one place at a time, also by the tabs of a browser.
 *
 * @param refresh - Asks for the session's next pair of tokens, with one request_id for all tries.
 */
export function refreshed(store: SessionStore, refresh: (refreshToken: string) => Promise<Session>): Tokens {
  let underway: Promise<string | undefined> | undefined;

  async function next(refused: string | undefined): Promise<string | undefined> {
    const session = await store.load();
    if (!session?.refresh_token || session.access_token !== refused) return session?.access_token;
    try {
      const renewed = await refresh(session.refresh_token);
      await store.save(renewed);
      return renewed.access_token;
    } catch (error) {
      if (error instanceof ApiError && error.reason === "SESSION_ENDED") await store.save(undefined);
      throw error;
    }
  }

  return {
    current: async () => (await store.load())?.access_token,
    renewed: (refused) => {
      underway ??= alone(() => next(refused)).finally(() => {
        underway = undefined;
      });
      return underway;
    },
  };
}

/** Does something while no other tab of this origin does it. Node, and pages that didn't come by https, have no locks. */
async function alone<T>(work: () => Promise<T>): Promise<T> {
  const locks = typeof navigator === "undefined" ? undefined : (navigator as Partial<Navigator>).locks;
  return locks ? locks.request("eco2-session", work) : work();
}
