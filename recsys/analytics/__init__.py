"""What SQL cannot tell of trends: forecasts."""
