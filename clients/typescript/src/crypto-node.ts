/** The platform's cryptography: Node 18 has no global `crypto` yet. */

import { webcrypto } from "node:crypto";

export const webCrypto = webcrypto as Crypto;
