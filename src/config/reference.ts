/** The documentation of every setting, from the schemas themselves: config/default.yaml and docs/settings.md. */
import { z } from 'zod';
import { stringify } from 'yaml';
import type { AdapterDefinition } from '../pbx/adapter.js';
import { agentSchema, didSchema, filterSchema, pbxSchema, zammadSchema } from './entries.js';
import { SECTIONS, settingsOf, type ScalarKind } from './scalars.js';
import { isSecretField, shapeOf } from './secrets.js';
import { describedAs } from './zod-problems.js';

const LINE = 120;

function wrapped(text: string, prefix: string): string {
  const lines = [''];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && prefix.length + line.length + word.length + 1 > LINE) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.map((line) => `${prefix}${line}`.trimEnd()).join('\n');
}

const KINDS = {
  country: 'country code',
  duration: 'duration (`500ms`, `30s`, `5m`, `4h`, `1d`)',
  port: 'port',
  count: 'whole number',
  text: 'text',
  boolean: '`true` or `false`',
  secret: 'secret',
  addresses: 'IP addresses or networks, with blanks between',
  patterns: 'patterns of numbers, with blanks between',
  prefix: 'digits, `*`, `#`',
} as const;
const kindText = (kind: ScalarKind): string =>
  typeof kind === 'string' ? KINDS[kind] : kind.map((word) => `\`${word}\``).join(', ');

/** The lists, each with an entry to start from. The entries stand commented out in default.yaml: nobody's fits anybody. */
const LISTS = [
  {
    key: 'zammad',
    schema: zammadSchema,
    doc: 'The Zammads that are told. At least one.',
    example: { name: 'main', urlFile: '/etc/zammad-pbx-bridge/cti.url' },
  },
  {
    key: 'pbx',
    schema: pbxSchema,
    doc: 'The PBXs that are listened to. At least one. Besides these keys an entry has those of its adapter, and `calls` with values of its own for the settings under `calls`.',
    example: {
      name: 'office',
      adapter: 'asterisk-ami',
      host: '127.0.0.1',
      username: 'bridge',
      secretFile: '/etc/zammad-pbx-bridge/ami.secret',
    },
  },
  {
    key: 'agents',
    schema: agentSchema,
    doc: 'The people inside.',
    example: { extension: '100', name: 'Alice Agent', devices: ['PJSIP/alice'], phones: ['+491711111111'] },
  },
  {
    key: 'dids',
    schema: didSchema,
    doc: 'What is known beforehand about numbers that customers dial.',
    example: { number: '+4930555200', agents: ['100'], queue: 'sales' },
  },
] as const;

const PREFACE = `Every setting with its default. Generated from the program ("npm run docs"); copy what differs for you.
Texts may hold \${VARIABLE} of the environment; $$ stands for $. A secret KEY may be given as KEYFile: the path of a file.`;

/** config/default.yaml: every setting, its default, its documentation. */
export function renderDefaultYaml(adapters: readonly AdapterDefinition[]): string {
  const keysOf = (schema: z.core.$ZodType): readonly string[] =>
    rowsOf(schema)
      .filter(({ key }) => !key.includes('.'))
      .map(({ key, type, fallback, doc }) => {
        const value = fallback === '' || fallback === 'required' ? fallback : `default ${fallback}`;
        return wrapped(
          `${key} (${[type, value].filter((text) => text !== '').join('; ')}): ${doc}`.replaceAll('`', ''),
          '#   ',
        );
      });
  const own = adapters.flatMap(({ type, configSchema }) => [`# With "adapter: ${type}":`, ...keysOf(configSchema)]);
  const lists = LISTS.map(({ key, schema, doc, example }) => {
    const sample = stringify([example], { lineWidth: LINE }).trimEnd();
    return [
      wrapped(doc, '# '),
      ...keysOf(schema),
      ...(key === 'pbx' ? own : []),
      `# ${key}:`,
      ...sample.split('\n').map((line) => `#   ${line}`),
    ].join('\n');
  });
  const sections = SECTIONS.map((section) => {
    const settings = Object.entries(settingsOf(section)).map(([key, { doc, kind, env, default: value, chosen }]) =>
      [
        wrapped(doc, '  # '),
        wrapped(`${kindText(kind).replaceAll('`', '')}; environment: ${env}`, '  # '),
        `  ${chosen === true ? '# ' : ''}${kind === 'secret' ? `${key}File: /etc/zammad-pbx-bridge/${section}.${key}` : `${key}: ${stringify(value)}`}`.trimEnd(),
      ].join('\n'),
    );
    return `${section}:\n${settings.join('\n')}`;
  });
  return `${[PREFACE.replace(/^/gm, '# '), ...lists, ...sections].join('\n\n')}\n`;
}

interface Row {
  readonly key: string;
  readonly type: string;
  readonly fallback: string;
  readonly doc: string;
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const table = (rows: readonly Row[]): string =>
  [
    '| setting | value | default | meaning |',
    '|---|---|---|---|',
    ...rows.map(({ key, type, fallback, doc }) => `| \`${key}\` | ${cell(type)} | ${cell(fallback)} | ${cell(doc)} |`),
  ].join('\n');

interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly items?: JsonSchema;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
}

/** The default of a schema, under optional() and the like. */
function defaultOf(schema: z.core.$ZodType): unknown {
  let at: z.core.$ZodType | undefined = schema;
  while (at !== undefined) {
    const { def } = at._zod as { def: { defaultValue?: unknown; innerType?: z.core.$ZodType } };
    if (def.defaultValue !== undefined) return def.defaultValue;
    at = def.innerType;
  }
  return undefined;
}

function typeText(schema: JsonSchema | undefined, secret: boolean): string {
  if (secret) return 'secret';
  if (schema === undefined) return 'any';
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (schema.type === 'array') return `list of ${typeText(schema.items, false)}`;
  const names: Readonly<Record<string, string>> = {
    string: 'text',
    integer: 'whole number',
    number: 'number',
    boolean: '`true` or `false`',
    object: 'group',
  };
  return names[schema.type ?? ''] ?? 'any';
}

/** The keys of an object schema, groups inside opened. */
function rowsOf(schema: z.core.$ZodType, prefix = ''): readonly Row[] {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  return Object.entries(shapeOf(schema)).flatMap(([key, field]) => {
    const own = json.properties?.[key];
    const inner = Object.keys(shapeOf(field)).length > 0 ? rowsOf(field, `${prefix}${key}.`) : [];
    const required = json.required?.includes(key) === true;
    const value = defaultOf(field);
    const fallback = value === undefined ? (required ? 'required' : '') : `\`${JSON.stringify(value)}\``;
    return [
      { key: `${prefix}${key}`, type: typeText(own, isSecretField(field)), fallback, doc: describedAs(field) ?? '' },
      ...inner,
    ];
  });
}

/** docs/settings.md. */
export function renderSettings(adapters: readonly AdapterDefinition[]): string {
  const scalars = SECTIONS.map((section) => {
    const rows = Object.entries(settingsOf(section)).map(([key, { doc, kind, env, default: value, perPbx }]) => ({
      key: `${section}.${key}`,
      type: kindText(kind),
      fallback: kind === 'secret' || value === '' ? '' : `\`${value}\``,
      doc: `${doc} Environment: \`${env}\`.${perPbx === true ? ' May differ per PBX.' : ''}`,
    }));
    return `### ${section}\n\n${table(rows)}`;
  });
  const lists = LISTS.map(
    ({ key, schema, doc }) =>
      `### ${key}\n\n${doc}\n\n${table([...rowsOf(schema).filter(isNotFilterKey), ...(key === 'pbx' ? [CALLS_ROW] : [])])}`,
  );
  const own = adapters.map(
    ({ type, configSchema }) => `### pbx, with \`adapter: ${type}\`\n\n${table(rowsOf(configSchema))}`,
  );
  return `# Settings

<!-- Generated by "npm run docs" from the program's own schemas. Do not edit. -->

The configuration is one YAML file: \`--config FILE\`, else \`$ZPB_CONFIG\`, else \`/etc/zammad-pbx-bridge/config.yaml\`.
\`zammad-pbx-bridge check\` reads it without starting anything and prints it as it takes effect.

- Texts may hold \`\${VARIABLE}\` of the environment; \`$$\` stands for \`$\`. A variable that is not set is an error.
- A secret may be written as it is, as \`\${VARIABLE}\`, or as the path of a file that holds it, under the same key with \`File\`
  behind it: \`secret\` or \`secretFile\`, \`url\` or \`urlFile\`. The line break at the file's end does not count. Relative paths
  start at the directory of the configuration file.
- Phone numbers and extensions may be written without quotes; a leading \`+\` or \`0\` is kept.
- An unknown key is an error. Exit status 78 says that the configuration cannot be used; each line names one setting.

## Lists

${lists.join('\n\n')}

### filter

${describedAs(filterSchema) ?? ''} In a \`pbx\` entry without the key \`pbx\`. Numbers may be written as on a phone.

${table(rowsOf(filterSchema))}

## Adapters

\`adapter\` is one of ${adapters.map(({ type }) => `\`${type}\``).join(', ') || 'none yet'}, or an adapter from outside: the name of a package that is
installed beside the bridge, or the path of a module, whose \`adapter\` or default export is taken.
${own.map((text) => `\n${text}\n`).join('')}
## Single values

Each can also be set in the environment, which wins over the file.

${scalars.join('\n\n')}
`;
}

/** What `pbx` entries have besides the keys of their schema. */
const CALLS_ROW: Row = {
  key: 'calls',
  type: 'group',
  fallback: '',
  doc: "This PBX's own values of the settings of `calls` below.",
};
const isNotFilterKey = ({ key }: Row): boolean => !key.startsWith('filter.');
