import fc from 'fast-check';

/** One seed for every mutant: whether it is killed must not be a matter of luck. */
fc.configureGlobal({ seed: 1 });
