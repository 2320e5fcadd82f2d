seen.order.push("20");
