require('nowhere');
