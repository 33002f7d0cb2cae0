// A photo made fit to send: small, upright, without the place it was taken at.

export const LONGEST_SIDE = 1600; // pixels; the service looks at 1,024
const SMALL_ENOUGH = 400_000; // bytes
export const MOST_BYTES = 20 << 20;
const QUALITY = 0.86;
const TYPES = ["image/jpeg", "image/png", "image/webp", "image/heic", "image/heif"];
const ENDINGS = { jpg: "image/jpeg", jpeg: "image/jpeg", png: "image/png", webp: "image/webp", heic: "image/heic", heif: "image/heif" };

export class UnusablePhoto extends Error {
  // `reason` is the service's own: PHOTO_FORMAT, PHOTO_TOO_LARGE or PHOTO_EMPTY.
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

// The photo to send, as {blob, type}. What this browser can't decode, an iPhone's HEIC as a rule, goes as it is.
export async function prepared(file) {
  if (!file.size) throw new UnusablePhoto("PHOTO_EMPTY");
  const type = TYPES.includes(file.type) ? file.type : ENDINGS[file.name?.split(".").pop().toLowerCase()];
  if (file.size <= SMALL_ENOUGH && type) return { blob: file, type };
  const smaller = await shrunk(file);
  if (smaller) return { blob: smaller, type: "image/jpeg" };
  if (!type) throw new UnusablePhoto("PHOTO_FORMAT");
  if (file.size > MOST_BYTES) throw new UnusablePhoto("PHOTO_TOO_LARGE");
  return { blob: file, type };
}

// A smaller JPEG, or null where the file can't be decoded. An <img> is turned upright by the browser and decoded as it
// is drawn, so an old phone holds the large picture once and not for long.
async function shrunk(file) {
  const address = URL.createObjectURL(file);
  const picture = new Image();
  const canvas = document.createElement("canvas");
  try {
    picture.src = address;
    await picture.decode();
    const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.naturalWidth, picture.naturalHeight));
    canvas.width = Math.max(1, Math.round(picture.naturalWidth * scale));
    canvas.height = Math.max(1, Math.round(picture.naturalHeight * scale));
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  } catch {
    return null;
  } finally {
    picture.src = "";
    canvas.width = canvas.height = 0; // gives its memory back at once
    URL.revokeObjectURL(address);
  }
}
