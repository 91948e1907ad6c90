"""What happens at stations, told in the logbook."""
