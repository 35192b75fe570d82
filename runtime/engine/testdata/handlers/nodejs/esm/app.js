export const handler = async () => 'esm';
