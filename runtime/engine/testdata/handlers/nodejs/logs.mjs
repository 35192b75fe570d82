export const handler = async () => {
  console.log('printed', { a: 'é' });
  console.debug('detail %d', 7);
  console.warn('careful');
  throw new RangeError('two');
};
