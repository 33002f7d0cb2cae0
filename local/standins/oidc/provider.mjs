// An OpenID provider on loopback: panva's oidc-provider, certified and strict, with a login page that takes any name.
//
// In its environment: OIDC_PORT, and OIDC_CLIENTS, a JSON list of its clients' metadata (RFC 7591). It prints "ready"
// once it listens. Its keys are new at each start; so are its sessions, which it keeps in memory.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { Provider } from 'oidc-provider';

const port = Number(process.env.OIDC_PORT);
const issuer = `http://127.0.0.1:${port}`;
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const kid = randomBytes(8).toString('hex');

const provider = new Provider(issuer, {
  clients: JSON.parse(process.env.OIDC_CLIENTS),
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' }] },
  cookies: { keys: [randomBytes(16).toString('hex')] },
  pkce: { required: () => true },
  claims: { openid: ['sub'], profile: ['name'] },
  conformIdTokenClaims: false, // the name is in the ID token, as with Google and Kakao
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, name: `${sub} of the stand-in` }) }),
  ttl: { AccessToken: 60, AuthorizationCode: 60, Grant: 600, IdToken: 60, Interaction: 600, Session: 600 },
});

const page = `<!doctype html><title>Sign in</title><form method="post">
<label>Who are you? <input name="login" autofocus required></label> <button>Sign in</button></form>`;

async function body(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return new URLSearchParams(text);
}

// Whoever gives a name is that user, and consents to everything that was asked.
provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/interaction/')) return next();
  if (ctx.method === 'GET') {
    ctx.type = 'html';
    ctx.body = page;
    return undefined;
  }
  const { params } = await provider.interactionDetails(ctx.req, ctx.res);
  const accountId = (await body(ctx.req)).get('login');
  const grant = new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const result = { login: { accountId }, consent: { grantId: await grant.save() } };
  return provider.interactionFinished(ctx.req, ctx.res, result);
});

provider.listen(port, '127.0.0.1', () => console.log('ready'));
