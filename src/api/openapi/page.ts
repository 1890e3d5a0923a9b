import type { Route } from '../route.js';

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const ACCESS = { reader: 'signed read or bearer key', open: 'open', signature: "the body's own signature" } as const;

/** A plain list of the doors: no script, nothing from elsewhere. */
export function docsPage(routes: readonly Route[]): string {
  const rows = routes.map(
    ({ method, path, summary, access, answers }) =>
      `<tr><td><code>${method.toUpperCase()} ${escape(path)}</code></td><td>${escape(summary)}</td><td>${escape(ACCESS[access])}</td><td>${Object.keys(answers).join(' ')}</td></tr>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Keyturn API</title></head>
<body><h1>Keyturn API</h1><p>The whole of it, with every schema: <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).</p>
<table><thead><tr><th>Door</th><th>What it does</th><th>Who</th><th>Answers</th></tr></thead><tbody>
${rows.join('\n')}
</tbody></table></body></html>
`;
}
