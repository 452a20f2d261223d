/** Import directions (docs/decisions/001-layout.md): call <- pbx <- adapters; zammad, store, http, gate know call; app.ts knows all. */
const leaf = '^src/(backoff|errors|clock|secret|version)\\.ts$';
const only = (name, from, ...allowed) => ({
  name,
  severity: 'error',
  comment: `${from} may import only itself, leaf modules and ${allowed.join(', ') || 'nothing else'}`,
  from: { path: from },
  to: { path: '^(src|adapters|test|scripts)/', pathNot: [from, leaf, ...allowed] },
});
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-tests-in-program', severity: 'error', from: { path: '^(src|adapters)/' , pathNot: '\\.test\\.ts$' }, to: { path: '^test/' } },
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    { name: 'no-dev-packages', severity: 'error', from: { path: '^(src|adapters)/' }, to: { dependencyTypes: ['npm-dev'], pathNot: '@types/' } },
    {
      name: 'brain-is-pure',
      severity: 'error',
      comment: 'src/call: no socket, no clock, no file, no package but the phone numbers',
      from: { path: '^src/call/' },
      to: { dependencyTypes: ['core', 'npm'], pathNot: 'libphonenumber-js' },
    },
    { name: 'brain-knows-no-clock', severity: 'error', from: { path: '^src/call/' }, to: { path: '^src/clock\\.ts$' } },
    only('call', '^src/call/'),
    only('pbx', '^src/pbx/', '^src/call/'),
    only('gate', '^src/gate/', '^src/call/'),
    only('availability', '^src/availability/', '^src/call/', '^src/store/', '^src/pbx/'),
    only('store', '^src/store/', '^src/call/'),
    only('zammad', '^src/zammad/', '^src/call/', '^src/store/'),
    only('access', '^src/access/', '^src/store/credentials\\.ts$'),
    only('dial', '^src/dial/', '^src/call/', '^src/pbx/orders\\.ts$', '^src/gate/emergency\\.ts$'),
    only('http', '^src/http/', '^src/call/', '^src/dial/(answer|rate-limit)\\.ts$'),
    only('stand-in', '^src/stand-in/'),
    only('config', '^src/config/', '^src/call/', '^src/pbx/', '^adapters/index\\.ts$'),
    {
      name: 'adapter-knows-no-other-room',
      severity: 'error',
      from: { path: '^adapters/(?!asterisk-)([^/]+)/' },
      to: { path: '^(src|adapters)/', pathNot: ['^adapters/$1/', '^src/pbx/', '^src/call/vocabulary\\.ts$', '^src/config/secrets\\.ts$', leaf] },
    },
    {
      name: 'both-asterisk-interfaces-share-only-asterisk',
      severity: 'error',
      comment: 'adapters/asterisk knows Asterisk, whatever interface it is heard over',
      from: { path: '^adapters/(asterisk-[^/]+)/' },
      to: { path: '^(src|adapters)/', pathNot: ['^adapters/$1/', '^adapters/asterisk/', '^src/pbx/', '^src/call/vocabulary\\.ts$', '^src/config/secrets\\.ts$', leaf] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
