/** A whole HTTP reply, before it is written. */
export interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const json = (status: number, value: unknown): Reply => ({
  status,
  type: 'application/json; charset=utf-8',
  body: JSON.stringify(value),
});

export const html = (status: number, heading: string): Reply => ({
  status,
  type: 'text/html; charset=utf-8',
  body: `<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>${heading}</title></head>\n<body><h1>${heading}</h1></body>\n</html>\n`,
});

/** What Zammad's error pages have for a heading. */
const HEADINGS: Readonly<Record<number, string>> = {
  401: '401: Unauthorized',
  403: '403: Forbidden',
  404: '404: Requested resource was not found',
  422: '422: The change you wanted was rejected.',
  500: '500: An unknown error occurred',
};

/**
 * True when a raised error is told as JSON: Accept is one media type, any or JSON, or the path ends in `.json`. No Accept,
 * text/html, or a list such as `application/json, text/plain, *` + `/*` (what axios sends by itself) gets a page.
 */
export function wantsJson(accept: string | undefined, format: string | undefined): boolean {
  if (format !== undefined) return format === 'json';
  if (accept === undefined || accept.includes(',')) return false;
  const type = accept.split(';', 1)[0]?.trim().toLowerCase();
  return type === '*/*' || type === 'application/json';
}

/** A raised error, as JSON or as a page; the status is the same. */
export const raised = (status: number, message: string, asJson: boolean, human?: string): Reply =>
  asJson
    ? json(status, human === undefined ? { error: message } : { error: message, error_human: human })
    : html(status, HEADINGS[status] ?? `${status}: Error`);

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** An error whose text stays in Zammad's own log, under a random id of eight letters. */
export function errorId(status: number, asJson: boolean, random: () => number): Reply {
  const id = Array.from({ length: 8 }, () => LETTERS[Math.floor(random() * LETTERS.length)] ?? 'A').join('');
  return raised(status, `Error ID ${id}: Please contact your administrator.`, asJson);
}

export const notFound = (asJson: boolean): Reply => {
  const text = "This page doesn't exist.";
  return raised(404, text, asJson, text);
};

/** The 400 of parameters that cannot be read: no body, whatever was asked for. */
export const badRequest: Reply = { status: 400, type: 'text/html; charset=utf-8', body: '' };
export const tooLarge: Reply = { ...html(413, '413: Request Entity Too Large'), headers: { connection: 'close' } };
