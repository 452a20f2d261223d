import { EXIT, jsonOption, type Command } from './command.js';

/** ms; below Docker's own time-out for a health check (5 s in the Dockerfile). */
const TIMEOUT = 3_000;

export const command: Command = {
  summary: 'Ask a running bridge whether it is well.',
  usage: 'health [options]',
  options: {
    url: {
      type: 'string',
      value: 'URL',
      doc: 'What to ask. Default: http://127.0.0.1:9470/healthz, with the port of $ZPB_HTTP_PORT if it is set, and https with $ZPB_HTTP_CERT_FILE.',
    },
    ready: { type: 'boolean', doc: 'Ask /readyz instead: is every PBX heard, does every Zammad take posts?' },
    json: jsonOption,
  },
  details: `Status 0 if the answer is 200, else 1. Reads no configuration: where http.host or http.port are not the default,
give the URL. Over TLS from this machine to itself the certificate is not checked. For Docker's HEALTHCHECK, and for scripts on machines without curl.`,
  async run({ options, env, stdout, stderr }) {
    const { probeHealth } = await import('../http/probe.js');
    const base =
      typeof options['url'] === 'string'
        ? options['url']
        : `http${env['ZPB_HTTP_CERT_FILE'] ? 's' : ''}://127.0.0.1:${env['ZPB_HTTP_PORT'] || '9470'}/healthz`;
    const url = options['ready'] === true ? base.replace(/\/(healthz)?$/, '') + '/readyz' : base;
    const result = await probeHealth(url, TIMEOUT);
    if (options['json'] === true) stdout.write(`${JSON.stringify({ url, ...result })}\n`);
    else (result.healthy ? stdout : stderr).write(`${result.words}\n`);
    return result.healthy ? EXIT.ok : EXIT.failed;
  },
};
