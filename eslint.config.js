import tseslint from 'typescript-eslint';

const nodeBuiltins = {
  group: ['node:*', 'fs', 'path', 'crypto', 'os', 'child_process'],
  message: 'This folder is pure: no Node built-ins.',
};

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', '.keyturn/**', 'coverage/**', '.cache/**', '**/*.cjs', 'test/mutants/**/work/**'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: true }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/require-await': 'off',
      'no-restricted-syntax': ['error', { selector: 'ExportDefaultDeclaration', message: 'Use a named export: one name everywhere.' }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/domain/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            nodeBuiltins,
            { group: ['@temporalio/*', 'hono', 'hono/*', 'pino', 'libsql', 'pg'], message: 'src/domain is pure: no I/O, no Temporal.' },
            {
              group: ['**/executor/**', '**/workflows/**', '**/api/**', '**/cli/**', '**/client/**', '**/temporal/**', '**/activities/**'],
              message: 'src/domain imports nothing from the other folders.',
            },
          ],
        },
      ],
    },
  },
  { files: ['src/workflows/**'], rules: { 'no-restricted-imports': ['error', { patterns: [nodeBuiltins] }] } },
  { files: ['test/**'], rules: { '@typescript-eslint/unbound-method': 'off' } },
  { files: ['**/*.js', '**/*.mjs'], ...tseslint.configs.disableTypeChecked },
  { files: ['eslint.config.js', '**/jest.config.js'], rules: { 'no-restricted-syntax': 'off' } },
);
