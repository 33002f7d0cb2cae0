/** The platform's cryptography. Pages that didn't come by https, or from this machine, have no digests. */

export const webCrypto: Pick<Crypto, "getRandomValues"> & { subtle?: SubtleCrypto } = globalThis.crypto;
