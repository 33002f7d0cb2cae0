/** What a photo is by its first bytes, whatever its file is called. */

const LONGEST = 12; // bytes of the longest signature
const HEIF_BRANDS = /^(hei[cxms]|hev[cx]|mif1|msf1|heif)$/;

/** Its media type; that of JPEG, as which the service then refuses it, if it is none that the service reads. */
export async function mediaType(photo: Blob): Promise<string> {
  const head = String.fromCharCode(...new Uint8Array(await photo.slice(0, LONGEST).arrayBuffer()));
  if (head.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (head.startsWith("RIFF") && head.slice(8) === "WEBP") return "image/webp";
  if (head.slice(4, 8) === "ftyp" && HEIF_BRANDS.test(head.slice(8))) return "image/heic";
  return "image/jpeg";
}
