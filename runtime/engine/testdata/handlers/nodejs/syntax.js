exports.handler = async () => {};
}
