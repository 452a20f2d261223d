import { BadParameters, decodeUtf8, FieldCollector } from './form-body.js';
import type { ParamMap } from './parameters.js';

/** The boundary of a `multipart/form-data` content type. Throws BadParameters when there is none. */
function boundaryOf(contentType: string): string {
  const match = /boundary=(?:"([^"]{1,70})"|([^\s;]{1,70}))/i.exec(contentType);
  const boundary = match?.[1] ?? match?.[2];
  if (boundary === undefined) throw new BadParameters('multipart/form-data without a boundary');
  return boundary;
}

/** Reads the plain fields of a `multipart/form-data` body; files are left out. Throws BadParameters. */
export function parseMultipart(contentType: string, body: Buffer): ParamMap {
  const fields = new FieldCollector();
  const delimiter = Buffer.from(`--${boundaryOf(contentType)}`, 'latin1');
  let at = body.indexOf(delimiter);
  if (at < 0) throw new BadParameters('multipart/form-data body without its boundary');
  for (;;) {
    const start = at + delimiter.length;
    if (body.toString('latin1', start, start + 2) === '--') return fields.result();
    const end = body.indexOf(delimiter, start);
    if (end < 0) throw new BadParameters('multipart/form-data body is cut off');
    const part = body.subarray(start + 2, end - 2);
    const blank = part.indexOf('\r\n\r\n');
    const head = blank < 0 ? '' : decodeUtf8(part.subarray(0, blank));
    const name = /^content-disposition:[^\r\n]*[;\s]name="([^"]*)"/im.exec(head)?.[1];
    if (name !== undefined && !/;\s*filename\*?=/i.test(head)) fields.add(name, decodeUtf8(part.subarray(blank + 4)));
    at = end;
  }
}
