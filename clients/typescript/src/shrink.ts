/** Makes photos smaller in a browser, before they are uploaded. */

/** How small. */
export interface ShrinkOptions {
  /** Pixels of the longer side at most. Default: 1,600; Eco² looks at 1,024, and scales by itself. */
  side?: number;
  /** Of the JPEG, 0 to 1. Default: 0.85. */
  quality?: number;
}

/**
 * The photo upright, as a JPEG no larger than wanted, without anything else that was in the file, such as where it was
 * taken. The photo as it is if it is small enough already, or if this platform can't read it, as Node can't.
 */
export async function shrunk(photo: Blob, { side = 1600, quality = 0.85 }: ShrinkOptions = {}): Promise<Blob> {
  if (typeof createImageBitmap !== "function") return photo;
  let picture: ImageBitmap;
  try {
    picture = await createImageBitmap(photo, { imageOrientation: "from-image" });
  } catch {
    return photo; // such as HEIC where the browser knows none; the server does
  }
  try {
    const scale = side / Math.max(picture.width, picture.height);
    if (scale >= 1) return photo;
    const smaller = await drawn(picture, Math.round(picture.width * scale), Math.round(picture.height * scale), quality);
    return smaller && smaller.size < photo.size ? smaller : photo;
  } finally {
    picture.close();
  }
}

async function drawn(picture: ImageBitmap, width: number, height: number, quality: number): Promise<Blob | null> {
  const type = "image/jpeg";
  const size = [Math.max(width, 1), Math.max(height, 1)] as const;
  if (typeof OffscreenCanvas === "function") {
    const canvas = new OffscreenCanvas(...size);
    return paint(canvas.getContext("2d"), picture, size) ? canvas.convertToBlob({ type, quality }) : null;
  }
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = size;
  if (!paint(canvas.getContext("2d"), picture, size)) return null;
  return new Promise((resolve) => canvas.toBlob(resolve, type, quality));
}

function paint(
  context: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D | null,
  picture: ImageBitmap,
  [width, height]: readonly [number, number],
): boolean {
  if (!context) return false;
  context.imageSmoothingQuality = "high";
  context.fillStyle = "white"; // JPEG has no transparency: it would be black
  context.fillRect(0, 0, width, height);
  context.drawImage(picture, 0, 0, width, height);
  return true;
}
