/** Ends the run's dev server, if a test started it. */
async function globalTeardown(): Promise<void> {
  const door = process.env['KEYTURN_TEST_DOOR'];
  if (door !== undefined) await fetch(door, { method: 'DELETE' });
}

// jest takes the default export; this spelling keeps one name for the function.
export { globalTeardown as default };
