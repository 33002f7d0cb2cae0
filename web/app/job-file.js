// What a chosen file is, by its name's ending: what a browser calls a CSV depends on what else is installed.

const TYPES = {
  batch: {
    csv: "text/csv",
    tsv: "text/tab-separated-values",
    xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    zip: "application/zip",
  },
  video: { mp4: "video/mp4", m4v: "video/mp4", mov: "video/quicktime", webm: "video/webm", mkv: "video/x-matroska" },
};

export class UnusableFile extends Error {
  // `reason` is FILE_EMPTY, or FILE_FORMAT with the kind of job that has no use for it.
  constructor(reason, kind) {
    super(reason);
    this.reason = reason;
    this.kind = kind;
  }
}

// The media type to announce a file by, to a job of this kind.
export function mediaType(file, kind) {
  const type = TYPES[kind][file.name.split(".").pop().toLowerCase()];
  if (!type) throw new UnusableFile("FILE_FORMAT", kind);
  if (!file.size) throw new UnusableFile("FILE_EMPTY", kind);
  return type;
}

// What a file field of this kind offers.
export function accepted(kind) {
  return Object.keys(TYPES[kind]).map((ending) => `.${ending}`).join(",");
}
