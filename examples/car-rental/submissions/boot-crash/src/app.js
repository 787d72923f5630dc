const express = require('express');

const carRoutes = require('./routes/cars');
const bookingRoutes = require('./routes/Bookings');

const app = express();

app.use(express.json());
app.use('/cars', carRoutes);
app.use('/bookings', bookingRoutes);

module.exports = app;
