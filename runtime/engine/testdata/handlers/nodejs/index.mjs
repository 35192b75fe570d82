export const text = 'text';
export const echo = async (event) => event;
export const length = async (event) => event.length;
export const nothing = async () => {};
export const fails = async (event) => event.order.action;
export const large = async (event) => 'x'.repeat(event);
export const exits = async () => process.exit(3);
export const hangs = () => new Promise(() => setInterval(() => {}, 1000));
export const rejects = () => new Promise(() => Promise.reject(new Error('lost')));

export const cycle = async () => {
  const o = {};
  o.o = o;
  return o;
};

export const seen = async (event, context) => ({
  environ: process.env,
  folder: process.cwd(),
  search: process.env.NODE_PATH.split(':'),
  context: {
    request: context.awsRequestId,
    name: context.functionName,
    version: context.functionVersion,
    memory: context.memoryLimitInMB,
    arn: context.invokedFunctionArn,
    group: context.logGroupName,
    stream: context.logStreamName,
    remaining: context.getRemainingTimeInMillis(),
    installation: context.clientContext?.client.installation_id,
    custom: context.clientContext?.custom.k,
    locale: context.clientContext?.env.locale,
  },
});
