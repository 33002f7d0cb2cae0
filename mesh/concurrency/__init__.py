"""What runs beside other work: tasks that are kept and ended, calls that go out together, silence that is noticed."""
