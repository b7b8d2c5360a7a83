"""What browsers and programs reach over HTTP, and the built pages."""
