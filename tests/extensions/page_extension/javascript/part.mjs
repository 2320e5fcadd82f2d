window.seen.module = true;
