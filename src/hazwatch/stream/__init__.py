"""The one pipeline that moves batches: log → judge → history, alarms, quality, risk. Live lane and background lane."""
